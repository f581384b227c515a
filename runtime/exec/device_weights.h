// DeviceWeights: a file's bytes where the device can read them, at the file's own offsets.
//
// On shared memory the mapped pages are bound as they are (VK_EXT_external_memory_host) or copied once into
// mapped device-local memory; otherwise they stream through two small staging buffers. Nothing is repacked.
// Owns its buffers and keeps the model (whose pages may be in use) and the device alive. Immutable once
// loaded; any number of sessions may share it. Throws InvalidFile (the file does not match its checksum),
// OutOfMemory (with sizes), DeviceLost, Cancelled. Rejected: one buffer per tensor (thousands of
// allocations), one buffer of the whole file (an allocation may end at 1 GiB): chunks overlap by the largest
// range a kernel may bind, so every window lies in one of them.
#pragma once

#include "exec/model.h"
#include "vk/device.h"

namespace fovea {

enum class WeightPlacement : uint8_t {
  Automatic, // Import where host and device share memory, else Copy
  Import,    // the mapped pages themselves; falls back to Copy where the driver refuses
  Copy,
};

/// Bytes done of bytes in all; return false to cancel.
using LoadProgress = std::function<bool(uint64_t done_bytes, uint64_t total_bytes)>;

class DeviceWeights {
public:
  static std::shared_ptr<const DeviceWeights> load(std::shared_ptr<vk::Device> device,
                                                   std::shared_ptr<const Model> model,
                                                   WeightPlacement placement = WeightPlacement::Automatic,
                                                   const LoadProgress &progress = {});

  ~DeviceWeights();

  /// The buffer and offset of file bytes [offset, offset + bytes), at most max_range() of them.
  vk::Binding bind(uint32_t slot, uint64_t offset, uint64_t bytes) const;
  /// Largest range that bind() serves; planning must not exceed it.
  uint64_t max_range() const { return max_range_; }
  /// Device memory taken, and whether the file's pages are used without a copy.
  uint64_t device_bytes() const { return device_bytes_; }
  bool imported() const { return imported_; }

private:
  DeviceWeights(std::shared_ptr<vk::Device> device, std::shared_ptr<const Model> model);
  bool import();
  void copy(const LoadProgress &progress);
  void stream(const LoadProgress &progress);

  std::shared_ptr<vk::Device> device_;
  std::shared_ptr<const Model> model_;
  struct Chunk {
    uint64_t begin = 0;
    vk::Buffer buffer;
  };
  std::vector<Chunk> chunks_;
  /// With imported pages. Work that never finished may read them for as long as the process lives: then it is
  /// not freed.
  std::unique_ptr<std::shared_ptr<const Model>> keeper_;
  uint64_t step_ = 0, max_range_ = 0, device_bytes_ = 0;
  bool imported_ = false;
};

} // namespace fovea
