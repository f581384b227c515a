// What the opaque handles are made of. Releasing one never breaks another: they share what they need by
// shared_ptr.
#pragma once

#include "api/guard.h"

#include "exec/session.h"

#include <atomic>
#include <mutex>

struct fovea_cancel {
  std::atomic<bool> requested{false};
};

namespace fovea::api {

/// A fovea_device_info and the strings that it points to. Neither copied nor moved: the info points into it.
struct DeviceDescription {
  explicit DeviceDescription(const vk::DeviceInfo &device);
  DeviceDescription(const DeviceDescription &) = delete;
  DeviceDescription &operator=(const DeviceDescription &) = delete;
  std::string name, driver_name, driver_info, rejected, profile, quirks;
  fovea_device_info info{};
};

} // namespace fovea::api

struct fovea_device {
  std::shared_ptr<fovea::vk::Device> device;
  std::unique_ptr<fovea::api::DeviceDescription> description;
};

struct fovea_model {
  std::shared_ptr<const fovea::Model> model;
  std::string task;
  std::vector<std::string> strings; // what the infos point to, NUL-terminated
  std::vector<fovea_metadata> metadata;
  std::vector<fovea_tensor_info> tensors;
  std::vector<std::pair<std::string, std::string>> graphs; // name, text

  fovea_model(const char *path, const fovea::ModelOptions &options);
  /// Loaded once per device for all sessions and transcribers.
  std::shared_ptr<const fovea::DeviceWeights> weights(const fovea_device &device, fovea_progress_fn progress,
                                                      void *user) const;

private:
  struct Loaded {
    std::weak_ptr<fovea::vk::Device> device;
    std::weak_ptr<const fovea::DeviceWeights> weights;
  };
  mutable std::mutex mutex_;
  mutable std::vector<Loaded> loaded_;
};

namespace fovea::api {

inline const std::atomic<bool> *flag(const fovea_cancel *cancel) {
  return cancel ? &cancel->requested : nullptr;
}
inline fovea_memory memory_values(const MemoryUse &use) {
  return {sizeof(fovea_memory), use.weights_bytes, use.state_bytes, use.scratch_bytes, use.io_bytes};
}
/// Fills the caller's struct. Error InvalidArgument when it was not initialised.
void write_memory(fovea_memory *to, const MemoryUse &use);

} // namespace fovea::api
