#include "ops/registry.h"

#include "ops/as_map.h"
#include "ops/attention.h"
#include "ops/attention_weights.h"
#include "ops/binary.h"
#include "ops/channels_first.h"
#include "ops/channels_last.h"
#include "ops/concat.h"
#include "ops/conv1d.h"
#include "ops/conv2d.h"
#include "ops/copy.h"
#include "ops/depthwise_conv2d.h"
#include "ops/dot_rows.h"
#include "ops/dynamic_range.h"
#include "ops/embed.h"
#include "ops/flatten.h"
#include "ops/gated.h"
#include "ops/group_norm.h"
#include "ops/gru.h"
#include "ops/l2_normalize.h"
#include "ops/layer_norm.h"
#include "ops/linear.h"
#include "ops/lstm.h"
#include "ops/map_positions.h"
#include "ops/normalize_image.h"
#include "ops/pool2d.h"
#include "ops/pool_rows.h"
#include "ops/power_spectrum.h"
#include "ops/reduce_max.h"
#include "ops/reflect_pad.h"
#include "ops/regroup.h"
#include "ops/repeat.h"
#include "ops/resize2d.h"
#include "ops/resize_image.h"
#include "ops/rms_norm.h"
#include "ops/rope.h"
#include "ops/rope_qkv.h"
#include "ops/row_of_token.h"
#include "ops/slice.h"
#include "ops/softmax.h"
#include "ops/take_batch.h"
#include "ops/token_rules.h"
#include "ops/top_k.h"
#include "ops/transpose.h"
#include "ops/unary.h"
#include "ops/weighted_sum.h"

// Compiled a second time for a library of certain models (cmake/fovea_selection.cmake), with the ops that
// these need: a generated list, kSelectedOps.
#ifdef FOVEA_SELECTED_OPS
#include <string_view>
#include FOVEA_SELECTED_OPS
#endif

namespace fovea {
namespace {

constexpr bool is_selected([[maybe_unused]] std::string_view op) {
#ifdef FOVEA_SELECTED_OPS
  for (const std::string_view selected : kSelectedOps)
    if (op == selected) return true;
  return false;
#else
  return true;
#endif
}

namespace selection {
template <class T> constexpr OpRow op_row() {
  if constexpr (is_selected(T::kName))
    return fovea::op_row<T>();
  else
    return {T::kName, nullptr};
}
} // namespace selection

} // namespace

OpTable op_table() {
  using selection::op_row;
  // One a line.
  // clang-format off
  static constexpr OpRow rows[] = {
      op_row<AsMap>(),
      op_row<Attention>(),
      op_row<AttentionWeights>(),
      op_row<Binary>(),
      op_row<ChannelsFirst>(),
      op_row<ChannelsLast>(),
      op_row<Concat>(),
      op_row<Conv1d>(),
      op_row<Conv2d>(),
      op_row<Copy>(),
      op_row<DepthwiseConv2d>(),
      op_row<DotRows>(),
      op_row<DynamicRange>(),
      op_row<Embed>(),
      op_row<Flatten>(),
      op_row<Gated>(),
      op_row<GroupNorm>(),
      op_row<Gru>(),
      op_row<L2Normalize>(),
      op_row<LayerNorm>(),
      op_row<Linear>(),
      op_row<Lstm>(),
      op_row<MapPositions>(),
      op_row<NormalizeImage>(),
      op_row<Pool2d>(),
      op_row<PoolRows>(),
      op_row<PowerSpectrum>(),
      op_row<ReduceMax>(),
      op_row<ReflectPad>(),
      op_row<Regroup>(),
      op_row<Repeat>(),
      op_row<Resize2d>(),
      op_row<ResizeImage>(),
      op_row<RmsNorm>(),
      op_row<Rope>(),
      op_row<RopeQkv>(),
      op_row<RowOfToken>(),
      op_row<Slice>(),
      op_row<Softmax>(),
      op_row<TakeBatch>(),
      op_row<TokenRules>(),
      op_row<TopK>(),
      op_row<Transpose>(),
      op_row<Unary>(),
      op_row<WeightedSum>(),
  };
  // clang-format on
  return rows;
}

} // namespace fovea
