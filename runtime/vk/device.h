// Device: a Vulkan device ready for compute: limits, memory, kernels and their cache on disk.
//
// Owns the KernelCache and the PipelineCache, which is saved on destruction. Kernels die with it, so sessions
// hold it by shared_ptr; Buffer, Recording and Fence keep the VkDevice itself alive. Thread-safety: all
// members; many sessions per Device, one thread each. Throws: NoDevice (with the reason each device was
// rejected), OutOfMemory, DeviceLost.
#pragma once

#include "vk/fence.h"
#include "vk/kernel_cache.h"
#include "vk/pipeline_cache.h"
#include "vk/recording.h"
#include "vk/select.h"

namespace fovea {
class KernelGate; // exec/kernel_gate.h
}

namespace fovea::vk {

struct DeviceOptions {
  std::string selector{}; // index or part of the name; empty: FOVEA_DEVICE, else the best
  /// Another device's limits to keep within (base/device_profile.h): a name or a file; "": none; unset:
  /// FOVEA_PRETEND.
  std::optional<std::string> pretend{};
  std::function<void(DeviceCaps &)> adjust_caps{}; // clamp or forge limits before anything uses them
  std::optional<Validation> validation{};          // unset: FOVEA_VALIDATION
  uint64_t memory_bytes = 0; // device memory to keep within; 0: FOVEA_DEVICE_MEMORY, else all there is
  Features features{};       // optional features to enable
  std::optional<std::string> cache_folder{}; // unset: cache_folder(); empty: no cache on disk
  std::optional<bool> safe{};                // base kernels only; unset: FOVEA_SAFE
  std::optional<bool> tuning{}; // use the table of `fovea tune`; unset: tuning_from_environment()
};

/// Every device the loader knows, usable or not, as Device::open() would take it: quirks and pretended limits
/// applied. Error NoDevice when there is no loader; an empty list when
/// there is a loader and no driver.
std::vector<DeviceInfo> list_devices(const std::optional<std::string> &pretend = {});

class Device {
public:
  static std::shared_ptr<Device> open(const DeviceOptions &options = {});
  ~Device();
  Device(const Device &) = delete;
  Device &operator=(const Device &) = delete;

  const DeviceCaps &caps() const { return context_->caps; }
  const std::string &name() const { return context_->caps.name; }
  /// For Buffer, Recorder and Fence.
  const std::shared_ptr<Context> &context() const { return context_; }
  bool lost() const { return context_->lost(); }

  Buffer allocate(MemoryKind kind, uint64_t size_bytes, std::string_view what) const {
    return Buffer(context_, kind, size_bytes, what);
  }
  /// See Buffer::import_host().
  std::optional<Buffer> import_host(std::span<const std::byte> pages, std::string_view what) const {
    return Buffer::import_host(context_, pages, what);
  }
  /// See Context::require_memory().
  void require_memory(uint64_t bytes, std::string_view what) const { context_->require_memory(bytes, what); }
  HeapStatus heap_status() const { return device_heap_status(*context_); }
  KernelCache &kernels() { return kernels_; }
  PipelineCache &pipeline_cache() { return pipeline_cache_; }
  /// Asked by sessions before kernels run for the first time; none unless set, before the device is shared.
  const std::shared_ptr<KernelGate> &gate() const { return gate_; }
  void set_gate(std::shared_ptr<KernelGate> gate) { gate_ = std::move(gate); }
  /// Empty: nothing is kept on disk.
  const std::string &cache_folder() const { return cache_folder_; }
  Recorder recorder(bool timestamps = false) const { return Recorder(context_, timestamps); }
  Fence fence() const { return Fence(context_); }

private:
  Device(std::shared_ptr<Context> context, const std::string &cache_folder);

  std::shared_ptr<Context> context_;
  std::string cache_folder_;
  std::shared_ptr<KernelGate> gate_;
  PipelineCache pipeline_cache_;
  KernelCache kernels_;
};

} // namespace fovea::vk
