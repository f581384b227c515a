#include "ops/linear_lowering.h"

#include "base/checked.h"

#include <algorithm>
#include <cmath>

namespace fovea {
namespace {

// Rows of W that one dispatch handles, and where its parts are.
struct Slice {
  uint64_t first = 0, count = 0;
};

// Where a slice's weights, scales and bias lie: one window if it fits a binding, else scales or bias in aux.
struct WeightBindings {
  BufferRef w, aux;
  uint32_t w_offset = 0, s_offset = 0, b_offset = 0;
  BiasPlace bias = BiasPlace::None;
  bool scales_in_aux = false, aux_taken = false;
};

WeightWindow must_fit(std::optional<WeightWindow> window) {
  if (!window) fail(ErrorCode::Unsupported, "one row of the weights is larger than the device can bind");
  return *window;
}

WeightBindings bind_weights(const Lowering &l, const LinearCall &c, Slice slice) {
  const WeightInfo &w = l.weight(c.weight);
  const Shape rows{slice.count, c.k};
  const uint64_t q_begin = w.offset + plane_bytes({slice.first, c.k}, w.type.encoding);
  const uint64_t q_end = q_begin + plane_bytes(rows, w.type.encoding);
  const bool quantized = is_quantized(w.type.encoding);
  const uint64_t s_begin = quantized ? w.scale_offset + scale_bytes({slice.first, c.k}, w.type.encoding) : q_begin;
  const uint64_t s_end = quantized ? s_begin + scale_bytes(rows, w.type.encoding) : q_end;
  const uint64_t b_begin = c.bias ? l.weight(c.bias).offset + slice.first * 4 : q_begin;
  const uint64_t b_end = c.bias ? b_begin + slice.count * 4 : q_end;

  WeightBindings out;
  out.bias = c.bias ? BiasPlace::Weights : BiasPlace::None;
  const auto fill = [&](const WeightWindow &window) {
    out.w = window.ref;
    out.w_offset = uint32_t(window.offset_of(q_begin) / 4);
  };
  if (const auto all = l.window(std::min({q_begin, s_begin, b_begin}), std::max({q_end, s_end, b_end}))) {
    fill(*all);
    out.s_offset = uint32_t(all->offset_of(s_begin) / 2);
    out.b_offset = uint32_t(all->offset_of(b_begin) / 4);
    return out;
  }
  // The planes of a slice of a large matrix lie far apart.
  const auto planes = quantized ? l.window(std::min(q_begin, s_begin), std::max(q_end, s_end)) : l.window(q_begin, q_end);
  if (planes) {
    fill(*planes);
    out.s_offset = uint32_t(planes->offset_of(s_begin) / 2);
    if (!c.bias) return out;
    const WeightWindow bias = must_fit(l.window(b_begin, b_end));
    out.aux = bias.ref;
    out.b_offset = uint32_t(bias.offset_of(b_begin) / 4);
    out.bias = BiasPlace::Aux;
  } else {
    if (c.bias) fail(ErrorCode::Internal, "scales and bias both need the auxiliary binding");
    fill(must_fit(l.window(q_begin, q_end)));
    const WeightWindow scales = must_fit(l.window(s_begin, s_end));
    out.aux = scales.ref;
    out.s_offset = uint32_t(scales.offset_of(s_begin) / 2);
    out.scales_in_aux = true;
  }
  out.aux_taken = true;
  return out;
}

// Rows of W per dispatch: as many as a binding holds, in multiples of 8 so that every slice starts on a 16-byte word.
uint64_t rows_per_slice(const Lowering &l, const LinearCall &c) {
  const uint64_t row_bytes = std::max<uint64_t>(1, plane_bytes({8, c.k}, l.type(c.weight).encoding) / 8);
  const uint64_t usable = l.caps().max_storage_buffer_range - l.caps().storage_offset_alignment;
  const uint64_t rows = usable / row_bytes;
  return rows >= c.n_cols ? c.n_cols : std::max<uint64_t>(8, align_down(rows, 8));
}

void lower_slice(Lowering &l, const LinearCall &c, Slice slice, const WeightBindings &weights) {
  const Target &target = l.target();
  const Shape &y = target.type.shape;
  const bool half = target.type.encoding == Encoding::F16;
  const uint64_t rows_per_batch = target.is_state ? (y.rank() == 3 ? c.n_rows / y[0] : c.n_rows) : c.n_rows;

  LinearShape shape;
  shape.n_rows = uint32_t(c.n_rows);
  shape.n_cols = uint32_t(slice.count);
  shape.k = uint32_t(c.k);
  shape.weights = l.type(c.weight).encoding;
  shape.activation = c.act;
  shape.bias = weights.bias;
  shape.residual = bool(c.residual);
  shape.scales_in_aux = weights.scales_in_aux;
  shape.y_f16 = half;
  shape.bounded_x = c.bounded;
  shape.aligned = c.x_offset % 4 == 0 && c.x_stride % 4 == 0 && l.shape(c.x).elements() % 4 == 0 &&
                  weights.w_offset % 4 == 0 && weights.s_offset % 2 == 0;
  const LinearChoice choice = select_linear(l.caps(), shape);

  LinearParams p{};
  p.n_rows = shape.n_rows;
  p.n_cols = shape.n_cols;
  p.k = shape.k;
  p.x_offset = int32_t(c.x_offset);
  p.x_stride = uint32_t(c.x_stride);
  p.x_elements = uint32_t(l.shape(c.x).elements());
  p.w_offset = weights.w_offset;
  p.s_offset = weights.s_offset;
  p.b_offset = weights.b_offset;
  p.r_offset = uint32_t(slice.first);
  p.r_stride = uint32_t(c.n_cols);
  p.y_offset = uint32_t(slice.first);
  p.y_stride = uint32_t(c.n_cols);
  p.rows_per_batch = uint32_t(rows_per_batch);
  p.y_batch_stride = uint32_t(target.batch_rows * c.n_cols);
  p.y_step = target.at;

  // An unused aux still needs something bound.
  const BoundRef aux = c.residual ? l.read(2, c.residual) : BoundRef{2, weights.aux_taken ? weights.aux : weights.w, Access::Read};
  l.dispatch(choice.kernel, choice.spec, push_words(p), choice.groups,
             {l.read(0, c.x), {1, weights.w, Access::Read}, aux, l.write(3)}, 2 * c.n_rows * slice.count * c.k);
}

} // namespace

void check_linear_operands(const Types &t, const LinearCall &c, const Shape &result) {
  if (t.encoding(c.weight) == Encoding::I32) fail(ErrorCode::InvalidGraph, "weight '", t.name(c.weight), "' is i32");
  if (c.bias) t.require(c.bias, "bias", Encoding::F32, {c.n_cols});
  if (c.residual) t.require(c.residual, "residual", Encoding::F32, result);
  // Kernels index with 32 bits.
  if (result.elements() >= 1ull << 31 || t.shape(c.x).elements() >= 1ull << 31)
    fail(ErrorCode::Unsupported, "more than 2^31 elements: x ", t.shape(c.x), ", result ", result);
}

void lower_linear(Lowering &l, const LinearCall &c) {
  const uint64_t step = rows_per_slice(l, c);
  for (uint64_t first = 0; first < c.n_cols; first += step) {
    const Slice slice{first, std::min(step, c.n_cols - first)};
    const WeightBindings weights = bind_weights(l, c, slice);
    if (weights.aux_taken && c.residual)
      fail(ErrorCode::Unsupported, "a matrix larger than the device can bind, with both bias and residual");
    lower_slice(l, c, slice, weights);
  }
}

double activate(Activation act, double x) {
  switch (act) {
  case Activation::None: return x;
  case Activation::Gelu: return 0.5 * x * (1 + std::erf(x / std::sqrt(2.0)));
  case Activation::Relu: return x > 0 ? x : 0;
  case Activation::Silu: return x / (1 + std::exp(-x));
  case Activation::GeluTanh: return 0.5 * x * (1 + std::tanh(std::sqrt(2 / M_PI) * (x + 0.044715 * x * x * x)));
  case Activation::QuickGelu: return x / (1 + std::exp(-1.702 * x));
  case Activation::Tanh: return std::tanh(x);
  case Activation::Sigmoid: return 1 / (1 + std::exp(-x));
  }
  return x;
}

void reference_linear(ReferenceCall &call, const LinearCall &c) {
  const HostTensor &x = call.in(c.x), &w = call.in(c.weight);
  HostTensor &y = call.out();
  const auto n_elements = int64_t(x.f.size());
  for (uint64_t r = 0; r < c.n_rows; ++r)
    for (uint64_t n = 0; n < c.n_cols; ++n) {
      double sum = c.bias ? double(call.in(c.bias).f[n]) : 0.0;
      for (uint64_t i = 0; i < c.k; ++i) {
        const int64_t at = c.x_offset + int64_t(r * c.x_stride + i);
        if (at >= 0 && at < n_elements) sum += double(x.f[size_t(at)]) * double(w.f[n * c.k + i]);
      }
      const double residual = c.residual ? double(call.in(c.residual).f[r * c.n_cols + n]) : 0.0;
      y.f[r * c.n_cols + n] = float(activate(c.act, sum) + residual);
    }
}

} // namespace fovea
