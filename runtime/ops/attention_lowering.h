// What attention and attention_weights share: sizes, checks, push constants, the scores of the reference.
// Pure; thread-safe.
#pragma once

#include "graph/lowering.h"
#include "kernels/catalogue.h"
#include "kernels/select.h"
#include "ops/attention.h"

namespace fovea {

/// All sizes of one attention, from the shapes of q and k.
struct AttentionSizes {
  uint64_t n_batch, n_queries, n_keys, n_kv_heads, head_size;
  bool shared_keys; // one k and v for all batches
};
AttentionSizes attention_sizes(const AttentionFields &op, const Shape &q, const Shape &k);

/// Error InvalidGraph or Unsupported when the operands do not fit each other.
void check_attention(const Types &t, const AttentionFields &op);

/// The kernel's sizes and push constants; k and v are alike. `y_stride`: elements between rows of the result.
AttentionShape attention_shape(const Lowering &l, const AttentionFields &op, const AttentionSizes &s);
AttentionParams attention_params(const Lowering &l, const AttentionFields &op, const AttentionSizes &s);

/// Mask and bias behind one binding, offsets and strides in `p`; nothing when the op has neither. May append
/// a dispatch that brings them together.
std::optional<BufferRef> bind_extras(Lowering &l, const AttentionFields &op, AttentionParams &p);

/// weight[s] of query t and head h of batch b over all keys; all 0 when it sees none.
void reference_weights(ReferenceCall &call, const AttentionFields &op, const AttentionSizes &s, uint64_t b,
                       uint64_t h, uint64_t t, std::vector<double> &weight);

} // namespace fovea
