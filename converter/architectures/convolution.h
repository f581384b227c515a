// What the builders of convolutional networks share: convolutions whose weights are reordered for maps with
// their channels innermost, with batch norms folded into them. Pure; one thread a plan. Errors: those of
// Graph.
#pragma once

#include "converter/model_plan.h"
#include "graph/graph.h"
#include "ops/conv2d.h"

namespace fovea {

/// Where a convolution's tensors come from. The plan gets to.w and, with a bias or a norm, to.b.
struct ConvTensors {
  std::string to, from;  // from.weight [N, C, kernel_h, kernel_w], from.bias [N]
  uint64_t n = 0;        // N
  uint64_t channels = 0; // C, of one group
  uint64_t kernel_h = 1, kernel_w = 1;
  bool bias = false;
  std::string norm{}; // norm.weight, .bias, .running_mean, .running_var; empty: none
  float eps = 1e-5f;  // of the norm
  TensorClass tensor_class = TensorClass::Delicate;
  uint64_t map_channels = 0; // channels of the map it reads, where that was filled up with zeros
};

/// [N, K] as conv2d reads it, K rounded up to what kernels load at once in `encoding`.
void add_conv2d(ModelPlan &plan, const ConvTensors &conv, Encoding encoding);
/// [kernel_h kernel_w, N] as depthwise_conv2d reads it; C is 1.
void add_depthwise_conv2d(ModelPlan &plan, const ConvTensors &conv);

/// The image of a batch, planar, as a map of four channels, the fourth 0: positions start on 16 bytes.
inline constexpr uint32_t kImageChannels = 4;
Value add_image_input(Graph &g, uint32_t channels);

/// What running statistics leave in checkpoints, unused.
inline constexpr const char *kBatchCounters = "*num_batches_tracked";

} // namespace fovea
