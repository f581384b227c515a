// resize_image on the CPU: Pillow's and torch's arithmetic, one channel and one element at a time.
#include "ops/image_axis.h"

#include <algorithm>
#include <cmath>

namespace fovea {
namespace {

// What one element of a result is made of, along one axis.
struct Taps {
  uint64_t first = 0;
  std::vector<int32_t> weights;
};

std::vector<Taps> pillow_taps(const ImageAxis &a, ImageFilter filter) {
  const double support = filter_support(filter) * a.stretch();
  std::vector<Taps> all;
  for (uint64_t i = a.begin(); i < a.end(); ++i) {
    const ImageAxis::Centre c = a.centre(i);
    const double centre = double(c.quotient) + double(c.remainder) / double(2 * a.to);
    const auto first = uint64_t(std::max(centre - support + 0.5, 0.0));
    const uint64_t last = std::min(a.from, uint64_t(centre + support + 0.5));
    std::vector<double> weights;
    double sum = 0;
    for (uint64_t x = first; x < last; ++x)
      sum += weights.emplace_back(filter_value(filter, (double(x) - centre + 0.5) / a.stretch()));
    Taps taps{first, {}};
    for (const double w : weights)
      taps.weights.push_back(int32_t(std::trunc(w / sum * (1 << kWeightBits) + (w < 0 ? -0.5 : 0.5))));
    all.push_back(std::move(taps));
  }
  return all;
}

uint32_t byte_at(const HostTensor &image, uint64_t i, uint32_t channel) {
  return uint32_t(image.i[i]) >> (8 * channel) & 255u;
}

// Pillow's ImagingResample of one channel.
void resample(const HostTensor &image, uint32_t channel, const ImageAxes &axes, ImageFilter filter,
              HostTensor &out) {
  const auto columns = pillow_taps(axes.x, filter), rows = pillow_taps(axes.y, filter);
  const auto weighted = [](const Taps &taps, auto &&byte) {
    int64_t sum = 1 << (kWeightBits - 1);
    for (size_t k = 0; k < taps.weights.size(); ++k) sum += int64_t(taps.weights[k]) * byte(taps.first + k);
    return int64_t(std::clamp<int64_t>(sum >> kWeightBits, 0, 255));
  };
  const uint64_t width = axes.x.from;
  const auto source = [&](uint64_t y, uint64_t x) { return int64_t(byte_at(image, y * width + x, channel)); };
  const auto store = [&](size_t y, size_t x, int64_t value) {
    out.f[((y + axes.y.begin()) * axes.x.kept + x + axes.x.begin()) * 3 + channel] = float(value);
  };
  if (axes.rows_first()) {
    std::vector<int64_t> low(rows.size() * width);
    for (size_t y = 0; y < rows.size(); ++y)
      for (uint64_t x = 0; x < width; ++x)
        low[y * width + x] = weighted(rows[y], [&](uint64_t at) { return source(at, x); });
    for (size_t y = 0; y < rows.size(); ++y)
      for (size_t x = 0; x < columns.size(); ++x)
        store(y, x, weighted(columns[x], [&](uint64_t at) { return low[y * width + at]; }));
    return;
  }
  std::vector<int64_t> slim(axes.y.from * columns.size());
  for (uint64_t y = 0; y < axes.y.from; ++y)
    for (size_t x = 0; x < columns.size(); ++x)
      slim[y * columns.size() + x] = weighted(columns[x], [&](uint64_t at) { return source(y, at); });
  for (size_t y = 0; y < rows.size(); ++y)
    for (size_t x = 0; x < columns.size(); ++x)
      store(y, x, weighted(rows[y], [&](uint64_t at) { return slim[at * columns.size() + x]; }));
}

// torch's interpolate without antialias: bicubic has a = -3/4, edges repeat.
struct PointTaps {
  int64_t first = 0;
  std::vector<double> weights;
};
PointTaps point_taps(const ImageAxis &a, uint64_t i, ImageFilter filter, bool same) {
  const ImageAxis::Centre c = a.centre(i);
  if (same || filter == ImageFilter::Nearest) return {int64_t(c.quotient), {1}};
  double at = double(c.quotient) + double(c.remainder) / double(2 * a.to) - 0.5;
  if (filter == ImageFilter::Bilinear) at = std::max(at, 0.0);
  const double t = at - std::floor(at);
  if (filter == ImageFilter::Bilinear) return {int64_t(at), {1 - t, t}};
  const auto near = [](double x) { return (1.25 * x - 2.25) * x * x + 1; };
  const auto far = [](double x) { return ((-0.75 * x + 3.75) * x - 6) * x + 3; };
  return {int64_t(std::floor(at)) - 1, {far(t + 1), near(t), near(1 - t), far(2 - t)}};
}

void sample(const HostTensor &image, const ImageAxes &axes, ImageFilter filter, bool same, HostTensor &out) {
  const auto clamped = [](int64_t v, uint64_t n) {
    return uint64_t(std::clamp<int64_t>(v, 0, int64_t(n) - 1));
  };
  for (uint64_t y = axes.y.begin(); y < axes.y.end(); ++y)
    for (uint64_t x = axes.x.begin(); x < axes.x.end(); ++x) {
      const PointTaps rows = point_taps(axes.y, y, filter, same),
                      columns = point_taps(axes.x, x, filter, same);
      for (uint32_t c = 0; c < 3; ++c) {
        double sum = 0;
        for (size_t j = 0; j < rows.weights.size(); ++j)
          for (size_t k = 0; k < columns.weights.size(); ++k)
            sum += rows.weights[j] * columns.weights[k] *
                   byte_at(image,
                           clamped(rows.first + int64_t(j), axes.y.from) * axes.x.from +
                               clamped(columns.first + int64_t(k), axes.x.from),
                           c);
        out.f[(y * axes.x.kept + x) * 3 + c] = float(std::clamp(std::nearbyint(sum), 0.0, 255.0));
      }
    }
}

} // namespace

void ResizeImage::reference(ReferenceCall &call) const {
  const HostTensor &in = call.in(image);
  const ImageAxes axes = image_axes(*this, {in.type.shape[0], in.type.shape[1]});
  const bool same = axes.y.from == axes.y.to && axes.x.from == axes.x.to;
  if (same || !antialias || filter == ImageFilter::Nearest) return sample(in, axes, filter, same, call.out());
  for (uint32_t c = 0; c < 3; ++c) resample(in, c, axes, filter, call.out());
}

} // namespace fovea
