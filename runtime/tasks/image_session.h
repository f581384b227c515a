// ImageSession: a picture through a vision model's graphs, `preprocess` first (docs/graph.md): what detection
// and segmentation share. Owns a Session. One thread. Throws what Session and run_model() throw,
// InvalidArgument (pixels that are none), Unsupported (another task, no `preprocess`), Cancelled.
#pragma once

#include "image/image.h"
#include "tasks/run_graphs.h"

namespace fovea {

class ImageSession {
public:
  /// `task`: what the file must be for, alone or among others.
  ImageSession(std::shared_ptr<vk::Device> device, std::shared_ptr<const Model> model,
               std::shared_ptr<const DeviceWeights> weights, const char *task, bool timestamps);

  /// Every output of the graphs, for one picture; alpha is ignored.
  NamedTensors run(const PixelView &pixels, const std::atomic<bool> *cancel);
  /// The output, of the given rank and a batch of one. Error InvalidFile when there is no such.
  static const HostTensor &output(const Model &model, const NamedTensors &outputs, const std::string &name,
                                  int rank);

  Session &session() { return session_; }
  const Model &model() const { return session_.model(); }
  /// Of metadata `fovea.TASK.labels`; empty when there is none.
  const std::vector<std::string> &labels() const { return labels_; }
  MemoryUse memory() const { return session_.memory(); }

  static bool accepts(const Model &model, const char *task);
  /// Error Unsupported unless the file is for `task` and prepares pictures itself.
  static void require_task(const Model &model, const char *task);

private:
  std::vector<std::string> labels_;
  Session session_;
};

} // namespace fovea
