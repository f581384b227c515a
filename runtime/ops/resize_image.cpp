#include "ops/resize_image.h"

#include "ops/image_axis.h"
#include "ops/map.h"

#include <algorithm>
#include <cmath>

namespace fovea {
namespace {

// Sizes of images and sides of results that kernels index: base/image's limit with room for padding.
constexpr uint64_t kMaxSide = 1 << 17;

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
  const uint64_t larger = std::max(a.from, a.to);
  const ResizeWeightsParams params{uint32_t(n),         uint32_t(row), uint32_t(a.from),
                                   c.quotient,          c.remainder,   c.quotient_step,
                                   c.remainder_step,    c.denominator, uint32_t(2 * support * double(larger)),
                                   uint32_t(2 * larger)};
  const KernelChoice choice = map_kernel(l.caps(), n, KernelId::resize_weights, {uint32_t(filter)});
  l.dispatch(choice.kernel, choice.spec, push_words(params), choice.groups, {{0, weights.ref, Access::Write}},
             n * row * 8);
  return weights;
}

// Words of an image or of one resized along an axis; word 0 is the pixel at (first_row, first_column).
struct Plane {
  BufferRef ref;
  uint64_t stride = 0, first_row = 0, first_column = 0;
};

// Offset of the pixel (row, column) in words; of a plane that begins below or right of it, negative.
int32_t offset_in(const Plane &p, uint64_t row, uint64_t column) {
  return int32_t((int64_t(row) - int64_t(p.first_row)) * int64_t(p.stride) + int64_t(column) -
                 int64_t(p.first_column));
}

// Rows of the source, of at most `bytes`, that rows [begin, result) of the first pass are made of.
struct Stretch {
  uint64_t end;
  ImageAxis::Range source;
};
Stretch next_stretch(const ImageAxis &y, bool rows, uint64_t begin, uint64_t end, double support,
                     uint64_t max_rows) {
  if (!rows) {
    const uint64_t last = std::min(end, begin + max_rows);
    return {last, {begin, last}};
  }
  const auto touched = [&](uint64_t to) {
    ImageAxis part = y;
    part.first = y.first + int64_t(y.begin() + begin);
    part.kept = to - begin;
    return part.touched(support);
  };
  uint64_t to = begin + 1;
  for (uint64_t step = end - begin; step > 0; step /= 2) // the most rows that fit
    while (to + step <= end && touched(to + step).last - touched(to + step).first <= max_rows) to += step;
  return {to, touched(to)};
}

// First pass: along columns, of the rows in `across`, or along rows, of the columns in `across`. An image
// larger than the device can bind goes in stretches.
Plane lower_first_pass(Lowering &l, const ResizeImage &op, const ImageAxes &axes, bool rows,
                       ImageAxis::Range across) {
  const ImageAxis &along = rows ? axes.y : axes.x;
  const double support = filter_support(op.filter);
  const Weights weights = lower_weights(l, along, op.filter);
  const uint64_t n_along = along.end() - along.begin(), n_across = across.last - across.first;
  const uint64_t n_columns = rows ? n_across : n_along;
  const Plane out{l.temporary(n_along * n_across * 4), n_columns, rows ? 0 : across.first,
                  rows ? across.first : 0};

  const BufferRef image = l.ref(op.image);
  const uint64_t row_bytes = axes.x.from * 4, alignment = l.caps().storage_offset_alignment;
  const uint64_t max_rows = (l.caps().max_storage_buffer_range - alignment) / row_bytes;
  const uint64_t first = rows ? 0 : across.first, end = rows ? n_along : across.last;
  for (uint64_t row = first; row < end;) {
    const Stretch s = next_stretch(axes.y, rows, row, end, support, max_rows);
    const uint64_t begin = align_down(s.source.first * row_bytes, alignment);
    const Plane part{
        {image.kind, image.id, image.offset + begin, s.source.last * row_bytes - begin}, axes.x.from, 0, 0};
    const uint64_t n = (s.end - row) * n_columns;
    const int64_t from = offset_in(part, rows ? 0 : row, rows ? across.first : 0) - int64_t(begin / 4);
    const ResizeAxisParams params{uint32_t(n),
                                  uint32_t(n_columns),
                                  0,
                                  uint32_t(s.end - row),
                                  0,
                                  uint32_t(n_columns),
                                  uint32_t(rows ? axes.x.from : 1),
                                  uint32_t(rows ? 1 : axes.x.from),
                                  int32_t(from),
                                  uint32_t((row - first) * n_columns),
                                  uint32_t(rows ? row * weights.row : 0),
                                  uint32_t(weights.row)};
    const KernelChoice choice = map_kernel(l.caps(), n, KernelId::resize_axis, {uint32_t(rows), 0});
    l.dispatch(choice.kernel, choice.spec, push_words(params), choice.groups,
               {{0, part.ref, Access::Read}, {1, weights.ref, Access::Read}, {2, out.ref, Access::Write}},
               n * weights.row * 8);
    row = s.end;
  }
  return out;
}

void lower_passes(Lowering &l, const ResizeImage &op, const ImageAxes &axes) {
  const ImageAxis &x = axes.x, &y = axes.y;
  const double support = filter_support(op.filter);
  const bool rows = !axes.rows_first(); // what the last pass is along
  const ImageAxis &first = rows ? x : y, &last = rows ? y : x;
  Plane source{l.ref(op.image), x.from, 0, 0};
  uint64_t row = y.begin() + uint64_t(y.first),
           column = x.begin() + uint64_t(x.first); // of source, where y begins
  if (first.from != first.to || source.ref.bytes > l.caps().max_storage_buffer_range) {
    source = lower_first_pass(l, op, axes, !rows, last.touched(support));
    (rows ? column : row) = 0;
  }
  const Weights weights = lower_weights(l, last, op.filter);
  const uint64_t n = y.kept * x.kept;
  const ResizeAxisParams params{uint32_t(n),
                                uint32_t(x.kept),
                                uint32_t(y.begin()),
                                uint32_t(y.end()),
                                uint32_t(x.begin()),
                                uint32_t(x.end()),
                                uint32_t(rows ? source.stride : 1),
                                uint32_t(rows ? 1 : source.stride),
                                offset_in(source, rows ? 0 : row, rows ? column : 0),
                                0,
                                0,
                                uint32_t(weights.row)};
  const KernelChoice choice = map_kernel(l.caps(), n, KernelId::resize_axis, {uint32_t(rows), 1});
  l.dispatch(choice.kernel, choice.spec, push_words(params), choice.groups,
             {{0, source.ref, Access::Read}, {1, weights.ref, Access::Read}, l.write(2)},
             n * weights.row * 8);
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
  const ImageAxes axes = image_axes(*this, {from[0], from[1]});
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
  const ImageAxes axes = image_axes(*this, {from[0], from[1]});
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

} // namespace fovea
