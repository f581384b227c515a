#include "ops/recurrence.h"

#include "graph/pieces.h"
#include "ops/map.h"

#include <algorithm>
#include <bit>

namespace fovea {
namespace {

constexpr uint64_t kMostUnits = 4096;           // h of a step lies in shared memory
constexpr uint64_t kUnitsOfOneGroup = 512;      // up to here one workgroup does a whole sequence
constexpr uint64_t kUnitsOfOneRow = 128;        // the same, for a single row
constexpr uint64_t kSliceUnits = 32;            // units of a workgroup of a wide layer
constexpr uint64_t kDispatchFlops = 64'000'000; // of one workgroup: it works by itself

enum Mode : uint32_t { kSequence, kRow, kFinish }; // as in shaders/recurrence.comp

KernelId kernel_of(const RecurrenceCall &call, Encoding encoding) {
  switch (encoding) {
  case Encoding::F32: return call.kernels[0];
  case Encoding::F16: return call.kernels[1];
  case Encoding::Q8: return call.kernels[2];
  case Encoding::Q4: return call.kernels[3];
  case Encoding::I32: break;
  }
  fail(ErrorCode::InvalidGraph, "the weight is i32");
}

/// W, its scales and the bias behind one binding.
WeightWindow weight_window(const Lowering &l, const RecurrenceCall &call, RecurrenceParams &p) {
  const WeightInfo &w = l.weight(call.weight);
  const auto planes_end = [&] {
    const uint64_t end = w.offset + plane_bytes(w.type.shape, w.type.encoding);
    return is_quantized(w.type.encoding)
               ? std::max(end, w.scale_offset + scale_bytes(w.type.shape, w.type.encoding))
               : end;
  };
  uint64_t begin = w.offset, end = planes_end();
  if (call.bias) {
    const WeightInfo &b = l.weight(call.bias);
    begin = std::min(begin, b.offset);
    end = std::max(end, b.offset + b.type.bytes());
  }
  const std::optional<WeightWindow> window = l.window(begin, end);
  if (!window)
    fail(ErrorCode::Unsupported, "weight and bias span ", end - begin,
         " bytes, more than the device can bind");
  p.w_offset = uint32_t(window->offset_of(w.offset) / 4);
  if (is_quantized(w.type.encoding)) p.s_offset = uint32_t(window->offset_of(w.scale_offset) / 2);
  if (call.bias) p.b_offset = uint32_t(window->offset_of(l.weight(call.bias).offset) / 4);
  return *window;
}

} // namespace

TensorType infer_recurrence(const Types &t, const RecurrenceCall &call) {
  t.require(call.x, "x", Encoding::F32);
  const Shape &x = t.shape(call.x), &w = t.shape(call.weight);
  if (x.rank() != 3 || x[2] % call.n_gates != 0)
    fail(ErrorCode::InvalidGraph, "x must be [B, T, ", call.n_gates, " H], it is ", x);
  const uint64_t units = x[2] / call.n_gates;
  if (t.encoding(call.weight) == Encoding::I32 || w != Shape{x[2], units})
    fail(ErrorCode::InvalidGraph, "weight '", t.name(call.weight), "' must be ", Shape{x[2], units},
         ", it is ", t[call.weight]);
  if (units > kMostUnits)
    fail(ErrorCode::Unsupported, units, " units are too many, at most ", kMostUnits, " are possible");
  if (call.bias) t.require(call.bias, "bias", Encoding::F32, {x[2]});
  if (call.state) {
    t.require(call.state, "state", Encoding::F32, {x[0], call.n_carried, units});
    if (!t.is_state(call.state))
      fail(ErrorCode::InvalidGraph, "'", t.name(call.state), "' is written and must be a state");
  }
  require_indexable(x, "x");
  return {{x[0], x[1], units}, Encoding::F32};
}

void lower_recurrence(Lowering &l, const RecurrenceCall &call) {
  const Shape &x = l.shape(call.x);
  const uint64_t n_batch = x[0], n_rows = x[1], units = x[2] / call.n_gates;
  const Encoding encoding = l.type(call.weight).encoding;
  const KernelId kernel = kernel_of(call, encoding);
  if (l.caps().disabled_kernels.count(uint32_t(kernel)) != 0)
    fail(ErrorCode::Unsupported, "every variant of ", to_string(kernel), " is disabled on ", l.caps().name);

  RecurrenceParams p{};
  p.n_batch = uint32_t(n_batch);
  p.n_rows = uint32_t(n_rows);
  p.k = uint32_t(units);
  p.reverse = call.reverse;
  p.carried = bool(call.state);
  const WeightWindow weights = weight_window(l, call, p);
  // Without a state, c still passes from dispatch to dispatch.
  const BufferRef carry = call.state ? l.ref(call.state) : l.temporary(n_batch * call.n_carried * units * 4);
  const uint64_t row_flops = 2 * call.n_gates * units * units;
  const uint64_t row_bytes = weights.ref.bytes + (call.n_gates + 1) * units * 4; // W for each row anew
  const auto run = [&](Mode mode, uint64_t first, uint64_t count, uint64_t lanes, uint64_t slices) {
    p.first = uint32_t(first);
    p.count = uint32_t(count);
    p.n_slices = uint32_t(slices);
    const uint64_t h_size = align_up(units, 4) * (mode == kSequence ? 2 : 1);
    l.dispatch(kernel, {uint32_t(lanes), 0, uint32_t(h_size), bool(call.bias), mode}, push_words(p),
               fold_groups(l.caps(), n_batch * slices),
               {l.read(0, call.x),
                {1, weights.ref, Access::Read},
                {2, carry, Access::ReadWrite},
                {3, l.target().ref, Access::ReadWrite}},
               n_batch * count * row_flops, n_batch * count * row_bytes);
  };

  if (units <= (n_rows == 1 ? kUnitsOfOneRow : kUnitsOfOneGroup)) {
    const uint64_t lanes = std::min<uint64_t>(l.caps().max_workgroup_invocations >= 128 ? 128 : 64,
                                              std::bit_ceil(std::max<uint64_t>(8, units)));
    const uint64_t by_flops = std::min(kDispatchFlops, most_flops(l.caps(), 1)) / row_flops,
                   by_bytes = most_bytes(l.caps(), 1) / row_bytes;
    const uint64_t step = std::max<uint64_t>(1, std::min(by_flops, by_bytes));
    for (uint64_t first = 0; first < n_rows; first += step)
      run(kSequence, first, std::min(step, n_rows - first), lanes, 1);
    return;
  }
  for (uint64_t first = 0; first < n_rows; ++first)
    run(kRow, first, 1, kSliceUnits, div_up(units, kSliceUnits));
  if (call.state)
    run(kFinish, n_rows - 1, 1, 64, 1); // h of the last row: while it was made, others read the first
}

void reference_recurrence(ReferenceCall &call, const RecurrenceCall &r, Cell cell) {
  const HostTensor &x = call.in(r.x), &w = call.in(r.weight);
  HostTensor &y = call.out();
  const size_t n_batch = x.type.shape[0], n_rows = x.type.shape[1], units = y.type.shape[2];
  for (size_t b = 0; b < n_batch; ++b) {
    std::vector<double> h(units), c(units), next(units);
    if (r.state) {
      const float *from = &call.in(r.state).f[b * r.n_carried * units];
      for (size_t j = 0; j < units; ++j) h[j] = from[j];
      for (size_t j = 0; j < units && r.n_carried > 1; ++j) c[j] = from[units + j];
    }
    for (size_t s = 0; s < n_rows; ++s) {
      const size_t row = b * n_rows + (r.reverse ? n_rows - 1 - s : s);
      for (size_t j = 0; j < units; ++j) {
        double input[4], recurrent[4];
        for (size_t g = 0; g < r.n_gates; ++g) {
          const size_t n = g * units + j;
          input[g] = x.f[row * r.n_gates * units + n];
          recurrent[g] = r.bias ? double(call.in(r.bias).f[n]) : 0.0;
          for (size_t k = 0; k < units; ++k) recurrent[g] += h[k] * double(w.f[n * units + k]);
        }
        next[j] = cell(input, recurrent, h[j], c[j]);
      }
      h = next;
      for (size_t j = 0; j < units; ++j) y.f[row * units + j] = float(h[j]);
    }
    if (!r.state) continue;
    float *to = &call.state(r.state).f[b * r.n_carried * units];
    for (size_t j = 0; j < units; ++j) to[j] = float(h[j]);
    for (size_t j = 0; j < units && r.n_carried > 1; ++j) to[units + j] = float(c[j]);
  }
}

} // namespace fovea
