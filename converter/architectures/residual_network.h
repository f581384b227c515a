// Residual networks (He et al., "Deep Residual Learning for Image Recognition", 2016): the classifier, and
// the backbone of detectors. Built from a configuration, or from the tensors of the common PyTorch naming
// (conv1, layer1.0.conv2 …), which say everything but strides. Plain data; thread-safe to read. Errors:
// InvalidFile, Unsupported.
#pragma once

#include "converter/architectures/convolution.h"
#include "converter/json.h"

namespace fovea {

class ResidualNetwork {
public:
  /// Tensors: prefix + "embedder.embedder.convolution.weight" … Stages above `n_stages` are left out (0:
  /// none).
  static ResidualNetwork from_config(const Config &config, const std::string &prefix, uint32_t n_stages = 0);
  /// Tensors: prefix + "conv1.weight" … `dilated`: the last stage keeps its resolution and spreads its taps.
  static ResidualNetwork from_tensors(const Source &source, const std::string &prefix, bool dilated,
                                      uint32_t n_stages = 0);

  /// The image as add_image_input() gives it → the last stage's map [B, H / 32, W / 32, width()].
  Value build(Graph &g, Value image) const;
  void add_tensors(ModelPlan &plan, Encoding encoding) const;
  uint32_t channels() const { return uint32_t(stem_.tensors.channels); } // of the image
  uint64_t width() const { return width_; }

private:
  struct Layer {
    ConvTensors tensors;
    Window2d window;
    uint32_t groups = 1;
    Activation act = Activation::None;
  };
  struct Block {
    std::vector<Layer> layers;   // the last one's sum with the shortcut goes through its activation
    std::vector<Layer> shortcut; // one, or none
  };
  Layer stem_;
  std::vector<Block> blocks_;
  std::vector<std::string> ignored_;
  uint64_t width_ = 0;
};

} // namespace fovea
