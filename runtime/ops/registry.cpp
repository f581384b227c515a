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

template <class T> constexpr OpRow row() {
  if constexpr (is_selected(T::kName))
    return op_row<T>();
  else
    return {T::kName, nullptr};
}

} // namespace

OpTable op_table() {
  // One a line.
  // clang-format off
  static constexpr OpRow rows[] = {
      row<AsMap>(),
      row<Attention>(),
      row<AttentionWeights>(),
      row<Binary>(),
      row<ChannelsFirst>(),
      row<ChannelsLast>(),
      row<Concat>(),
      row<Conv1d>(),
      row<Conv2d>(),
      row<Copy>(),
      row<DepthwiseConv2d>(),
      row<DotRows>(),
      row<DynamicRange>(),
      row<Embed>(),
      row<Flatten>(),
      row<Gated>(),
      row<GroupNorm>(),
      row<Gru>(),
      row<L2Normalize>(),
      row<LayerNorm>(),
      row<Linear>(),
      row<Lstm>(),
      row<MapPositions>(),
      row<NormalizeImage>(),
      row<Pool2d>(),
      row<PoolRows>(),
      row<PowerSpectrum>(),
      row<ReduceMax>(),
      row<ReflectPad>(),
      row<Regroup>(),
      row<Repeat>(),
      row<Resize2d>(),
      row<ResizeImage>(),
      row<RmsNorm>(),
      row<Rope>(),
      row<RowOfToken>(),
      row<Slice>(),
      row<Softmax>(),
      row<TakeBatch>(),
      row<TokenRules>(),
      row<TopK>(),
      row<Transpose>(),
      row<Unary>(),
      row<WeightedSum>(),
  };
  // clang-format on
  return rows;
}

} // namespace fovea
