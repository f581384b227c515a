// Which kernel runs a linear or an attention here: pure functions of DeviceCaps and shapes, decided when a
// plan is made. Plain values; thread-safe. Error Unsupported when every kernel that could do it is disabled
// or over a limit of the device, InvalidArgument for an impossible shape. Rejected: choosing at submit (a
// plan is recorded once), benchmarks at start (tuning numbers by driver do).
#pragma once

#include "base/device_caps.h"
#include "base/tensor_type.h"
#include "kernels/choice.h"

#include <optional>

namespace fovea {

/// As numbered in shaders/include/activation.glsl.
enum class Activation : uint32_t {
  None,
  Gelu,
  Relu,
  Silu,
  GeluTanh,
  QuickGelu,
  Tanh,
  Sigmoid,
  Relu6,
  HardSwish,
  HardSigmoid,
};
/// Where linear's bias lies: in the window bound for W, or in aux.
enum class BiasPlace : uint32_t { None, Weights, Aux };

using LinearChoice = KernelChoice;
using AttentionChoice = KernelChoice;

/// What a linear's kernel depends on. At most one of bias == Aux, residual and scales_in_aux.
struct LinearShape {
  uint32_t n_rows = 0, n_cols = 0, k = 0;
  Encoding weights = Encoding::F32;
  Activation activation = Activation::None;
  BiasPlace bias = BiasPlace::None;
  bool residual = false;
  bool residual_first = false; // before the activation
  bool gated = false;          // pairs of columns; no residual
  bool scales_in_aux = false;
  bool y_f16 = false;
  bool bounded_x = false;
  /// x_offset, x_stride and x_elements are multiples of 4 elements, w_offset of 4 words, and s_offset is
  /// even: 16-byte loads of x and W are allowed where k permits them.
  bool aligned = false;
  /// Offsets and strides of y and of the residual, and n_cols, are multiples of 4 elements.
  bool quad_stores = false;
  /// x's, W's and the scales' bindings fit in texel buffers.
  bool texels = false;
  /// Rows are windows of a map (shaders/include/conv2d.glsl), in this many groups of n_cols columns each.
  bool windows = false;
  uint32_t groups = 1;
};

/// The kernel of select_linear() with its constant that makes it normalize x (RowNorm::Kind); nothing where
/// that one does not. It is not one of several: what else could do the product does not normalize.
std::optional<LinearChoice> select_normalizing_linear(const DeviceCaps &caps, const LinearShape &shape,
                                                      uint32_t norm);

/// Specialization constant 3 of the linear family: kResidual of shaders/include/linear.glsl.
constexpr uint32_t residual_constant(bool residual, bool first, bool gated) {
  return gated ? 3 : !residual ? 0 : first ? 2 : 1;
}

LinearChoice select_linear(const DeviceCaps &caps, const LinearShape &shape);
/// Every kernel that may run it, the preferred first.
std::vector<LinearChoice> all_linear_variants(const DeviceCaps &caps, const LinearShape &shape);

struct AttentionShape {
  uint32_t n_heads = 1, n_kv_heads = 1, head_size = 64;
  uint32_t n_queries = 1, n_batch = 1;
  uint32_t n_keys = 1;         // the cache's capacity where the number in use changes from step to step
  Encoding kv = Encoding::F32; // f32, f16 or q8
  bool causal = false;
  bool mask = false, bias = false, window = false;
  /// All offsets and strides, batch strides too, are multiples of 4 elements (k and v: of what 16 bytes
  /// hold).
  bool aligned = false;
  /// q's, k's and v's bindings fit in texel buffers.
  bool texels = false;
};

/// Specialization constants 1 … 4 of every attention kernel (shaders/include/attention.glsl).
std::vector<uint32_t> attention_constants(const AttentionShape &shape);
AttentionChoice select_attention(const DeviceCaps &caps, const AttentionShape &shape);
std::vector<AttentionChoice> all_attention_variants(const DeviceCaps &caps, const AttentionShape &shape);

} // namespace fovea
