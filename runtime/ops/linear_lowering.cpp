#include "ops/linear_lowering.h"

#include "base/checked.h"

#include <algorithm>
#include <cmath>

namespace fovea {
namespace {

constexpr uint32_t kScaleSlot = 5; // shaders/include/operands.glsl
// shaders/linear_vector_stream.comp
constexpr uint32_t kScalePairSlot = 6, kGammaSlot = 7, kBetaSlot = 8;
constexpr uint32_t kNoBias = 0xFFFFFFFFu; // shaders/include/epilogue.glsl

// Rows of W that one dispatch handles.
struct Slice {
  uint64_t first = 0, count = 0;
};

// Where a slice's weights and scales lie, and the bias if it fits beside them.
struct WeightBindings {
  BufferRef w, aux;
  uint32_t w_offset = 0, s_offset = 0, b_offset = 0;
  BiasPlace bias = BiasPlace::None;
  bool aux_taken = false; // by the bias or by the scales
  bool scales_in_aux = false;
  // The scales by themselves, for kernels with texel buffers.
  BufferRef scales;
  uint32_t scales_begin = 0;
};

WeightWindow must_fit(std::optional<WeightWindow> window) {
  if (!window) fail(ErrorCode::Unsupported, "one row of the weights is larger than the device can bind");
  return *window;
}

// A file range of a slice's part; nothing when the part is absent.
struct Range {
  uint64_t begin = 0, end = 0;
  bool empty() const { return begin == end; }
  Range join(const Range &other) const {
    if (other.empty()) return *this;
    return {std::min(begin, other.begin), std::max(end, other.end)};
  }
};

/// Without a place for the bias (two parts that need aux) the result's `bias` is None and the caller adds it
/// later.
WeightBindings bind_weights(const Lowering &l, const LinearCall &c, Slice slice) {
  const WeightInfo &w = l.weight(c.weight);
  const Encoding e = w.type.encoding;
  const Shape before{slice.first, c.k}, rows{slice.count, c.k};
  const uint64_t q_begin = w.offset + plane_bytes(before, e);
  const Range q{q_begin, q_begin + plane_bytes(rows, e)};
  const uint64_t s_begin = w.scale_offset + scale_bytes(before, e);
  const Range s{s_begin, s_begin + scale_bytes(rows, e)};
  Range b;
  if (c.bias) b.begin = l.weight(c.bias).offset + slice.first * 4, b.end = b.begin + slice.count * 4;

  WeightBindings out;
  if (!s.empty()) {
    const WeightWindow scales = must_fit(l.window(s.begin, s.end));
    out.scales = scales.ref;
    out.scales_begin = uint32_t(scales.offset_of(s.begin) / 2);
  }
  const auto bind = [&](const WeightWindow &window) {
    out.w = window.ref;
    out.w_offset = uint32_t(window.offset_of(q.begin) / 4);
  };
  const auto window = [&](const Range &r) { return l.window(r.begin, r.end); };
  if (const auto all = window(q.join(s).join(b))) {
    bind(*all);
    if (!s.empty()) out.s_offset = uint32_t(all->offset_of(s.begin) / 2);
    if (c.bias) {
      out.b_offset = uint32_t(all->offset_of(b.begin) / 4);
      out.bias = BiasPlace::Weights;
    }
  } else if (const auto planes = window(q.join(s))) {
    bind(*planes);
    if (!s.empty()) out.s_offset = uint32_t(planes->offset_of(s.begin) / 2);
    if (c.bias && !c.residual) {
      const WeightWindow bias = must_fit(window(b));
      out.aux = bias.ref;
      out.b_offset = uint32_t(bias.offset_of(b.begin) / 4);
      out.bias = BiasPlace::Aux;
      out.aux_taken = true;
    }
  } else { // the planes of a slice of a large matrix lie far apart
    bind(must_fit(window(q)));
    if (!s.empty()) {
      const WeightWindow scales = must_fit(window(s));
      out.aux = scales.ref;
      out.s_offset = uint32_t(scales.offset_of(s.begin) / 2);
      out.scales_in_aux = out.aux_taken = true;
    }
  }
  return out;
}

// Rows of W per dispatch: as many as a binding holds, in multiples of 8 so that every slice starts on a
// 16-byte word.
uint64_t rows_per_slice(const Lowering &l, const LinearCall &c) {
  const uint64_t row_bytes = std::max<uint64_t>(1, plane_bytes({8, c.k}, l.type(c.weight).encoding) / 8);
  const uint64_t rows = l.window_bytes() / row_bytes;
  return rows >= c.n_cols ? c.n_cols : std::max<uint64_t>(8, align_down(rows, 8));
}

// Addresses of x and of the target's rows, for a product straight into the target.
LinearParams target_params(const Lowering &l, const LinearCall &c) {
  const Target &target = l.target();
  const Shape &y = target.type.shape;
  LinearParams p{};
  p.n_rows = uint32_t(c.n_rows);
  p.n_cols = uint32_t(c.n_cols);
  p.k = uint32_t(c.k);
  p.x_offset = int32_t(c.x_offset);
  p.x_stride = uint32_t(c.x_stride);
  p.x_elements = uint32_t(l.shape(c.x).elements());
  if (c.norm) p.epsilon = c.norm->eps;
  p.r_stride = p.y_stride = uint32_t(c.gated ? c.n_cols / 2 : c.n_cols);
  p.rows_per_batch = uint32_t(target.is_state && y.rank() == 3 ? c.n_rows / y[0] : c.n_rows);
  p.y_batch_stride = uint32_t(target.batch_rows * p.y_stride);
  p.y_step = target.at;
  return p;
}

Conv2dParams window_params(const LinearParams &p, const MapWindows &m) {
  Conv2dParams c{};
  c.n_rows = p.n_rows;
  c.n_cols = p.n_cols / m.groups;
  c.k = p.k;
  c.w_offset = p.w_offset;
  c.s_offset = p.s_offset;
  c.b_offset = p.b_offset;
  c.r_offset = p.r_offset;
  c.r_stride = p.r_stride;
  c.y_offset = p.y_offset;
  c.y_stride = p.y_stride;
  c.rows_per_batch = p.rows_per_batch;
  c.y_batch_stride = p.y_batch_stride;
  c.y_step = p.y_step;
  c.in_h = m.in_h;
  c.in_w = m.in_w;
  c.out_h = m.out_h;
  c.out_w = m.out_w;
  c.stride_h = m.stride_h;
  c.stride_w = m.stride_w;
  c.pad_top = m.pad_top;
  c.pad_left = m.pad_left;
  c.dilation_h = m.dilation_h;
  c.dilation_w = m.dilation_w;
  c.taps_h = m.taps_h;
  c.taps_w = m.taps_w;
  c.run = m.run;
  c.channels = m.channels;
  c.group_channels = m.groups > 1 ? m.channels / m.groups : 0;
  c.inverse_run = 1.0f / float(m.run);
  c.inverse_taps_w = 1.0f / float(m.taps_w);
  return c;
}

// Whether every element that starts a quad of K starts a quad of x.
bool windows_aligned(const MapWindows &m) {
  const bool positions =
      m.channels % 4 == 0 || (m.taps_w == 1 && m.pad_left == 0 && uint64_t(m.stride_w) * m.channels % 4 == 0);
  return positions && uint64_t(m.in_w) * m.channels % 4 == 0 && m.run % 4 == 0;
}

LinearShape slice_shape(const Lowering &l, const LinearCall &c, const WeightBindings &weights,
                        const LinearParams &p, bool y_f16) {
  LinearShape shape;
  shape.n_rows = p.n_rows;
  shape.n_cols = p.n_cols;
  shape.k = p.k;
  shape.weights = l.type(c.weight).encoding;
  shape.activation = c.act;
  shape.bias = weights.bias;
  shape.residual = bool(c.residual);
  shape.residual_first = c.residual_first;
  shape.gated = c.gated;
  shape.scales_in_aux = weights.scales_in_aux;
  shape.y_f16 = y_f16;
  shape.bounded_x = c.bounded;
  shape.aligned = weights.w_offset % 4 == 0 && weights.s_offset % 2 == 0 &&
                  (c.windows ? windows_aligned(*c.windows)
                             : c.x_offset % 4 == 0 && c.x_stride % 4 == 0 && p.x_elements % 4 == 0);
  if (c.windows) {
    shape.windows = true;
    shape.groups = c.windows->groups;
    shape.n_cols = p.n_cols / shape.groups;
  }
  const uint32_t of_y = p.y_offset | p.y_stride | p.y_batch_stride | shape.n_cols;
  shape.quad_stores = ((c.residual ? of_y | p.r_offset | p.r_stride : of_y) & 3) == 0;
  const uint64_t texels = l.caps().max_texel_buffer_elements;
  shape.texels = div_up(l.type(c.x).bytes(), 16) <= texels && div_up(weights.w.bytes, 16) <= texels &&
                 weights.scales.bytes / 2 <= texels;
  return shape;
}

// One slice of the product into `y`, with what of the epilogue has a binding.
void lower_slice(Lowering &l, const LinearCall &c, Slice slice, const WeightBindings &weights, LinearParams p,
                 const BufferRef &y, bool y_f16) {
  p.n_cols = uint32_t(slice.count);
  p.w_offset = weights.w_offset;
  p.s_offset = weights.s_offset;
  p.b_offset = weights.bias == BiasPlace::None ? kNoBias : weights.b_offset;
  p.r_offset = p.y_offset = uint32_t(c.gated ? slice.first / 2 : slice.first);
  const LinearShape shape = slice_shape(l, c, weights, p, y_f16);
  const LinearChoice choice = c.norm ? *select_normalizing_linear(l.caps(), shape, uint32_t(c.norm->kind))
                                     : select_linear(l.caps(), shape);
  // An unused aux still needs something bound.
  const BoundRef aux = c.residual ? l.read(2, c.residual)
                                  : BoundRef{2, weights.aux_taken ? weights.aux : weights.w, Access::Read};
  std::vector<BoundRef> bindings = {l.read(0, c.x), {1, weights.w, Access::Read}, aux, {3, y, Access::Write}};
  if (choice.operands != Operands::Buffers && is_quantized(shape.weights)) {
    p.s_offset = weights.scales_begin;
    bindings.push_back(
        {choice.operands == Operands::Texels ? kScaleSlot : kScalePairSlot, weights.scales, Access::Read});
  }
  if (choice.operands == Operands::TexelPairs) { // x again where there is nothing to bind
    bindings.push_back(l.read(kGammaSlot, c.norm ? c.norm->gamma : c.x));
    bindings.push_back(l.read(kBetaSlot, c.norm && c.norm->beta ? c.norm->beta : c.x));
  }
  l.dispatch(choice, c.windows ? push_words(window_params(p, *c.windows)) : push_words(p),
             std::move(bindings), 2 * c.n_rows * slice.count * c.k);
}

// Bias, activation and residual over sums that are already there.
void lower_epilogue(Lowering &l, const LinearCall &c, const BufferRef &sums) {
  LinearParams p = target_params(l, c);
  p.x_offset = 0;
  p.x_stride = p.n_cols;
  WeightWindow bias{sums}; // unused bindings still need something bound
  if (c.bias) {
    const uint64_t begin = l.weight(c.bias).offset;
    bias = must_fit(l.window(begin, begin + c.n_cols * 4));
    p.b_offset = uint32_t(bias.offset_of(begin) / 4);
  }
  const bool half = l.target().type.encoding == Encoding::F16;
  const std::vector<uint32_t> spec = {64,
                                      uint32_t(c.act),
                                      uint32_t(c.bias ? BiasPlace::Weights : BiasPlace::None),
                                      residual_constant(bool(c.residual), c.residual_first, c.gated),
                                      0,
                                      half,
                                      0};
  const KernelChoice grid =
      select_map_kernel(l.caps(), c.n_rows * div_up(c.n_cols, 2), KernelId::linear_epilogue);
  const BoundRef aux = c.residual ? l.read(2, c.residual) : BoundRef{2, bias.ref, Access::Read};
  l.dispatch(grid.kernel, spec, push_words(p), grid.groups,
             {{0, sums, Access::Read}, {1, bias.ref, Access::Read}, aux, l.write(3)},
             4 * c.n_rows * c.n_cols);
}

} // namespace

void check_linear_operands(const Types &t, const LinearCall &c, const Shape &result) {
  if (t.encoding(c.weight) == Encoding::I32)
    fail(ErrorCode::InvalidGraph, "weight '", t.name(c.weight), "' is i32");
  if (c.bias) t.require(c.bias, "bias", Encoding::F32, {c.n_cols});
  if (c.residual) t.require(c.residual, "residual", Encoding::F32, result);
  // Kernels index with 32 bits.
  if (result.elements() >= 1ull << 31 || t.shape(c.x).elements() >= 1ull << 31)
    fail(ErrorCode::Unsupported, "more than 2^31 elements: x ", t.shape(c.x), ", result ", result);
}

namespace {

// The product with the norm that its x still waits for, where its kernel can do that.
std::optional<LinearCall> normalizing(const Lowering &l, const LinearCall &c) {
  const auto norm = l.deferred(c.x);
  if (!norm || rows_per_slice(l, c) < c.n_cols) return {};
  const WeightBindings weights = bind_weights(l, c, {0, c.n_cols});
  if ((c.bias && weights.bias == BiasPlace::None) || (c.residual && weights.aux_taken)) return {};
  LinearCall call = c;
  call.norm = norm;
  call.x = norm->x;
  call.x_offset = int64_t((norm->row_stride - 1) * c.k);
  call.x_stride = norm->row_stride * c.k;
  LinearParams p = target_params(l, call);
  p.w_offset = weights.w_offset;
  p.s_offset = weights.s_offset;
  const bool half = l.target().type.encoding == Encoding::F16;
  if (!select_normalizing_linear(l.caps(), slice_shape(l, call, weights, p, half), uint32_t(norm->kind)))
    return {};
  return call;
}

} // namespace

void lower_linear(Lowering &l, const LinearCall &call) {
  l.compute(call.residual);
  const auto with_norm = normalizing(l, call);
  if (!with_norm) l.compute(call.x);
  const LinearCall &c = with_norm ? *with_norm : call;
  if (c.gated && l.target().type.encoding == Encoding::F16)
    fail(ErrorCode::Unsupported, "a gated product cannot be stored in halves");
  const uint64_t step = rows_per_slice(l, c);
  if (c.windows && c.windows->groups > 1 && step < c.n_cols)
    fail(ErrorCode::Unsupported, "the weights of ", c.windows->groups,
         " groups are larger than the device can bind");
  std::vector<std::pair<Slice, WeightBindings>> slices;
  bool epilogue_apart = false;
  for (uint64_t first = 0; first < c.n_cols; first += step) {
    const Slice slice{first, std::min(step, c.n_cols - first)};
    slices.emplace_back(slice, bind_weights(l, c, slice));
    const WeightBindings &weights = slices.back().second;
    epilogue_apart |= (c.bias && weights.bias == BiasPlace::None) || (c.residual && weights.aux_taken);
  }
  LinearCall product = c;
  LinearParams params = target_params(l, c);
  BufferRef y = l.target().ref;
  if (epilogue_apart) {
    product.bias = product.residual = {};
    product.act = Activation::None;
    product.gated = false;
    y = l.temporary(c.n_rows * c.n_cols * 4);
    params.rows_per_batch = params.n_rows;
    params.y_stride = params.n_cols;
    params.y_step = kNoStep;
    for (auto &[slice, weights] : slices) weights = bind_weights(l, product, slice);
  }
  const bool half = !epilogue_apart && l.target().type.encoding == Encoding::F16;
  for (const auto &[slice, weights] : slices) lower_slice(l, product, slice, weights, params, y, half);
  if (epilogue_apart) lower_epilogue(l, c, y);
}

double activate(Activation act, double x) {
  switch (act) {
  case Activation::None: return x;
  case Activation::Gelu: return 0.5 * x * (1 + std::erf(x / std::sqrt(2.0)));
  case Activation::Relu: return x > 0 ? x : 0;
  case Activation::Silu: return x / (1 + std::exp(-x));
  case Activation::GeluTanh:
    return 0.5 * x * (1 + std::tanh(std::sqrt(2 / M_PI) * (x + 0.044715 * x * x * x)));
  case Activation::QuickGelu: return x / (1 + std::exp(-1.702 * x));
  case Activation::Tanh: return std::tanh(x);
  case Activation::Sigmoid: return 1 / (1 + std::exp(-x));
  case Activation::Relu6: return std::clamp(x, 0.0, 6.0);
  case Activation::HardSwish: return x * std::clamp(x / 6 + 0.5, 0.0, 1.0);
  case Activation::HardSigmoid: return std::clamp(x / 6 + 0.5, 0.0, 1.0);
  }
  return x;
}

void reference_linear(ReferenceCall &call, const LinearCall &c) {
  const HostTensor &x = call.in(c.x), &w = call.in(c.weight);
  HostTensor &y = call.out();
  const auto n_elements = int64_t(x.f.size());
  const auto sum_of = [&](uint64_t r, uint64_t n) {
    double sum = c.bias ? double(call.in(c.bias).f[n]) : 0.0;
    for (uint64_t i = 0; i < c.k; ++i) {
      const int64_t at = c.x_offset + int64_t(r * c.x_stride + i);
      if (at >= 0 && at < n_elements) sum += double(x.f[size_t(at)]) * double(w.f[n * c.k + i]);
    }
    return sum;
  };
  for (uint64_t r = 0; r < c.n_rows; ++r)
    for (uint64_t n = 0; n < c.n_cols; n += c.gated ? 2 : 1) {
      if (c.gated) {
        y.f[(r * c.n_cols + n) / 2] = float(activate(c.act, sum_of(r, n)) * sum_of(r, n + 1));
        continue;
      }
      const double sum = sum_of(r, n);
      const double residual = c.residual ? double(call.in(c.residual).f[r * c.n_cols + n]) : 0.0;
      y.f[r * c.n_cols + n] =
          float(c.residual_first ? activate(c.act, sum + residual) : activate(c.act, sum) + residual);
    }
}

} // namespace fovea
