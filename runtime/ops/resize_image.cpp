#include "ops/resize_image.h"

#include "ops/image_axis.h"
#include "ops/map.h"

#include <algorithm>
#include <cmath>

namespace fovea {
namespace {

// Sizes of images and sides of results that kernels index: base/image's limit with room for padding.
constexpr uint64_t kMaxSide = 1 << 17;

struct Axes {
  ImageAxis y, x;
};

int64_t floor_half(int64_t v) { return v >= 0 ? v / 2 : -((1 - v) / 2); }

ImageAxis axis(uint64_t from, uint64_t to, uint32_t crop) {
  if (crop == 0) return {from, to, 0, to};
  return {from, to, floor_half(int64_t(to) - int64_t(crop)), crop};
}

Axes axes_of(const ResizeImage &op, const Shape &image) {
  const ImageSize to = op.resized({image[0], image[1]});
  return {axis(image[0], to.height, op.crop_height), axis(image[1], to.width, op.crop_width)};
}

// Python's round().
uint64_t round_half_even(double v) { return uint64_t(std::nearbyint(v)); }

// The part of the parameters that says where centres lie: begin of ResizeWeightsParams and of
// SampleImageParams.
struct CentreStep {
  uint32_t quotient, remainder, quotient_step, remainder_step, denominator;
};
CentreStep centre_step(const ImageAxis &a) {
  const ImageAxis::Centre at = a.centre(a.begin());
  return {uint32_t(at.quotient), uint32_t(at.remainder), uint32_t(2 * a.from / (2 * a.to)),
          uint32_t(2 * a.from % (2 * a.to)), uint32_t(2 * a.to)};
}

// [kept elements, 2 + taps] ints: first source element, how many, their weights.
struct Weights {
  BufferRef ref;
  uint64_t row = 0; // ints
};
Weights lower_weights(Lowering &l, const ImageAxis &a, ImageFilter filter) {
  const double support = filter_support(filter);
  const uint64_t n = a.end() - a.begin(), row = 2 + a.taps(support);
  const Weights weights{l.temporary(n * row * sizeof(int32_t)), row};
  const CentreStep c = centre_step(a);
  const ResizeWeightsParams params{uint32_t(n),
                                   uint32_t(row),
                                   uint32_t(a.from),
                                   c.quotient,
                                   c.remainder,
                                   c.quotient_step,
                                   c.remainder_step,
                                   c.denominator,
                                   float(support * a.stretch()),
                                   float(1 / a.stretch())};
  const KernelChoice choice = map_kernel(l.caps(), n, KernelId::resize_weights, {uint32_t(filter)});
  l.dispatch(choice.kernel, choice.spec, push_words(params), choice.groups, {{0, weights.ref, Access::Write}},
             n * row * 8);
  return weights;
}

// Columns pass: the rows of the image that the rows pass will read, each squeezed to the kept columns. An
// image larger than the device can bind goes in stretches of rows.
BufferRef lower_columns(Lowering &l, const ResizeImage &op, const ImageAxis &x, ImageAxis::Range rows) {
  const Weights weights = lower_weights(l, x, op.filter);
  const uint64_t n_columns = x.end() - x.begin(), row_bytes = x.from * sizeof(uint32_t);
  const BufferRef image = l.ref(op.image), squeezed = l.temporary((rows.last - rows.first) * n_columns * 4);
  const uint64_t alignment = l.caps().storage_offset_alignment;
  const uint64_t chunk = (l.caps().max_storage_buffer_range - alignment) / row_bytes;
  for (uint64_t row = rows.first; row < rows.last; row += chunk) {
    const uint64_t n_rows = std::min(chunk, rows.last - row);
    const uint64_t begin = align_down(row * row_bytes, alignment);
    const BufferRef part{image.kind, image.id, image.offset + begin, (row + n_rows) * row_bytes - begin};
    const ResizeColumnsParams params{uint32_t(n_rows * n_columns),
                                     uint32_t(n_columns),
                                     uint32_t(x.from),
                                     uint32_t((row * row_bytes - begin) / 4),
                                     uint32_t((row - rows.first) * n_columns),
                                     uint32_t(weights.row)};
    const KernelChoice choice = map_kernel(l.caps(), n_rows * n_columns, KernelId::resize_columns);
    l.dispatch(choice.kernel, choice.spec, push_words(params), choice.groups,
               {{0, part, Access::Read}, {1, weights.ref, Access::Read}, {2, squeezed, Access::Write}},
               n_rows * n_columns * weights.row * 8);
  }
  return squeezed;
}

void lower_passes(Lowering &l, const ResizeImage &op, const Axes &axes) {
  const ImageAxis &x = axes.x, &y = axes.y;
  const uint64_t n = y.kept * x.kept;
  const bool columns_stay = x.from == x.to && l.ref(op.image).bytes <= l.caps().max_storage_buffer_range;
  ImageAxis::Range rows{0, y.from};
  if (!columns_stay) rows = y.touched(filter_support(op.filter));
  const BufferRef source = columns_stay ? l.ref(op.image) : lower_columns(l, op, x, rows);
  const Weights weights = lower_weights(l, y, op.filter);
  const ResizeRowsParams params{uint32_t(n),
                                uint32_t(x.kept),
                                uint32_t(y.begin()),
                                uint32_t(y.end()),
                                uint32_t(x.begin()),
                                uint32_t(x.end()),
                                uint32_t(columns_stay ? x.from : x.end() - x.begin()),
                                uint32_t(rows.first),
                                uint32_t(columns_stay ? int64_t(x.begin()) + x.first : 0),
                                uint32_t(weights.row)};
  const KernelChoice choice = map_kernel(l.caps(), n, KernelId::resize_rows);
  l.dispatch(choice.kernel, choice.spec, push_words(params), choice.groups,
             {{0, source, Access::Read}, {1, weights.ref, Access::Read}, l.write(2)}, n * weights.row * 8);
}

} // namespace

ImageSize ResizeImage::resized(const ImageSize &from) const {
  ImageSize to = from;
  if (height) {
    to = {height, width};
  } else if (max_height) {
    const double scale =
        std::min(double(max_height) / double(from.height), double(max_width) / double(from.width));
    to = {uint64_t(double(from.height) * scale), uint64_t(double(from.width) * scale)};
  } else if (shortest) {
    const auto low = double(std::min(from.height, from.width)),
               high = double(std::max(from.height, from.width));
    uint64_t side = shortest;
    double exact = double(shortest);
    if (longest && high / low * shortest > longest) {
      exact = longest * low / high;
      side = round_half_even(exact);
    }
    const bool portrait = from.width < from.height;
    // With a multiple the reference (of another family) looks at portraits first.
    if (std::min(from.height, from.width) == side && !(portrait && multiple > 1))
      to = from;
    else if (portrait)
      to = {uint64_t(exact * double(from.height) / double(from.width)), side};
    else
      to = {side, uint64_t(exact * double(from.width) / double(from.height))};
  }
  return {to.height - to.height % multiple, to.width - to.width % multiple};
}

TensorType ResizeImage::infer(const Types &t) const {
  t.require(image, "image", Encoding::I32);
  const Shape &from = t.shape(image);
  if (from.rank() != 2) fail(ErrorCode::InvalidGraph, "image must be [H, W], it is ", from);
  require_indexable(from, "image");
  if (!height != !width || !max_height != !max_width || !crop_height != !crop_width || multiple == 0 ||
      (longest && !shortest) || (height != 0) + (shortest != 0) + (max_height != 0) > 1)
    fail(ErrorCode::InvalidGraph, "height=", height, " width=", width, " shortest=", shortest,
         " longest=", longest, " max_height=", max_height, " max_width=", max_width, " multiple=", multiple,
         " crop_height=", crop_height, " crop_width=", crop_width, " contradict each other");
  if (!antialias && filter != ImageFilter::Nearest && filter != ImageFilter::Bilinear &&
      filter != ImageFilter::Bicubic)
    fail(ErrorCode::InvalidGraph, "antialias=false with filter=", kImageFilterNames[uint32_t(filter)]);
  const Axes axes = axes_of(*this, from);
  const auto describe = [&] {
    return concat("an image of ", from[1], " x ", from[0], " pixels would be resized to ", axes.x.to, " x ",
                  axes.y.to);
  };
  for (const ImageAxis *a : {&axes.y, &axes.x}) {
    if (a->to == 0) fail(ErrorCode::InvalidArgument, describe(), ", which leaves nothing of it");
    // Centres are computed with 32 bits, step by step from the crop's first element.
    if (a->from > kMaxSide || a->kept > kMaxSide || 2 * a->to * (a->kept + 1) > 0xFFFFFFFFull)
      fail(ErrorCode::InvalidArgument, describe(),
           ", which is too large; use an image that is less elongated");
  }
  const Shape result{axes.y.kept, axes.x.kept, 3};
  require_indexable(result, "the result");
  return {result, Encoding::F32};
}

void ResizeImage::lower(Lowering &l) const {
  const Shape &from = l.shape(image);
  const Axes axes = axes_of(*this, from);
  const uint64_t n = axes.y.kept * axes.x.kept;
  const bool same = axes.y.from == axes.y.to && axes.x.from == axes.x.to;
  if (same || !antialias || filter == ImageFilter::Nearest) {
    const CentreStep y = centre_step(axes.y), x = centre_step(axes.x);
    const SampleImageParams params{uint32_t(n),
                                   uint32_t(axes.x.kept),
                                   uint32_t(from[0]),
                                   uint32_t(from[1]),
                                   uint32_t(axes.y.begin()),
                                   uint32_t(axes.y.end()),
                                   uint32_t(axes.x.begin()),
                                   uint32_t(axes.x.end()),
                                   y.quotient,
                                   y.remainder,
                                   y.quotient_step,
                                   y.remainder_step,
                                   y.denominator,
                                   x.quotient,
                                   x.remainder,
                                   x.quotient_step,
                                   x.remainder_step,
                                   x.denominator};
    const uint32_t taps = same || filter == ImageFilter::Nearest ? 1 : filter == ImageFilter::Bicubic ? 4 : 2;
    const KernelChoice choice = map_kernel(l.caps(), n, KernelId::sample_image, {taps});
    return l.dispatch(choice.kernel, choice.spec, push_words(params), choice.groups,
                      {l.read(0, image), l.write(1)}, n * taps * taps * 8);
  }
  lower_passes(l, *this, axes);
}

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

// Pillow's ImagingResample of one channel: columns, then rows.
void resample(const HostTensor &image, uint32_t channel, const Axes &axes, ImageFilter filter,
              HostTensor &out) {
  const auto columns = pillow_taps(axes.x, filter), rows = pillow_taps(axes.y, filter);
  const auto weighted = [](const Taps &taps, auto &&byte) {
    int64_t sum = 1 << (kWeightBits - 1);
    for (size_t k = 0; k < taps.weights.size(); ++k) sum += int64_t(taps.weights[k]) * byte(taps.first + k);
    return int64_t(std::clamp<int64_t>(sum >> kWeightBits, 0, 255));
  };
  std::vector<int64_t> squeezed(axes.y.from * columns.size());
  for (uint64_t y = 0; y < axes.y.from; ++y)
    for (size_t x = 0; x < columns.size(); ++x)
      squeezed[y * columns.size() + x] = weighted(
          columns[x], [&](uint64_t at) { return int64_t(byte_at(image, y * axes.x.from + at, channel)); });
  for (size_t y = 0; y < rows.size(); ++y)
    for (size_t x = 0; x < columns.size(); ++x)
      out.f[((y + axes.y.begin()) * axes.x.kept + x + axes.x.begin()) * 3 + channel] =
          float(weighted(rows[y], [&](uint64_t at) { return squeezed[at * columns.size() + x]; }));
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

void sample(const HostTensor &image, const Axes &axes, ImageFilter filter, bool same, HostTensor &out) {
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
  const Axes axes = axes_of(*this, in.type.shape);
  const bool same = axes.y.from == axes.y.to && axes.x.from == axes.x.to;
  if (same || !antialias || filter == ImageFilter::Nearest) return sample(in, axes, filter, same, call.out());
  for (uint32_t c = 0; c < 3; ++c) resample(in, c, axes, filter, call.out());
}

} // namespace fovea
