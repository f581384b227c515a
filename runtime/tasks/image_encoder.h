// ImageEncoder: one output of a vision model for any number of pictures: what classification, embedding and
// captions of pictures share. Pictures are prepared one by one (graph `preprocess`), then those that became
// the same size run side by side. Owns a Session. One thread. Throws what Session and run_model() throw,
// InvalidArgument (pixels that are none), InvalidFile, Unsupported (no `preprocess`), Cancelled.
#pragma once

#include "image/image.h"
#include "tasks/run_graphs.h"

namespace fovea {

/// A pixel a word, as `preprocess` takes them: red, green, blue from the lowest byte up. Error
/// InvalidArgument.
HostTensor image_words(const PixelView &pixels);

/// Of two sessions that share their weights.
inline MemoryUse together(MemoryUse a, const MemoryUse &b) {
  a.state_bytes += b.state_bytes;
  a.scratch_bytes += b.scratch_bytes;
  a.io_bytes += b.io_bytes;
  return a;
}

class ImageEncoder {
public:
  /// `output` of `graph`: of rank 2, one row for each picture.
  ImageEncoder(std::shared_ptr<vk::Device> device, std::shared_ptr<const Model> model,
               std::shared_ptr<const DeviceWeights> weights, std::string graph, std::string output,
               bool timestamps);

  /// In the order of the pictures.
  std::vector<std::vector<float>> encode(std::span<const PixelView> pictures,
                                         const std::atomic<bool> *cancel);
  /// The same for the model's input: f32 [B, C, h, w], any number side by side.
  std::vector<std::vector<float>> encode_pixels(HostTensor pixels, const std::atomic<bool> *cancel);
  /// The model's input: f32 [1, 3, h, w].
  HostTensor prepare(const PixelView &picture, const std::atomic<bool> *cancel);

  Session &session() { return session_; }
  const std::string &graph() const { return graph_; }
  const Model &model() const { return session_.model(); }
  MemoryUse memory() const { return session_.memory(); }

private:
  std::string graph_, output_;
  Session session_;
};

} // namespace fovea
