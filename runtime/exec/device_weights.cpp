#include "exec/device_weights.h"

#include "base/checked.h"
#include "base/log.h"

#include <algorithm>
#include <cstring>

namespace fovea {
namespace {

constexpr uint64_t kStagingBytes = 8ull << 20;
constexpr uint64_t kChunkAlignment = 65536; // a multiple of every page size and import alignment in use

} // namespace

std::shared_ptr<const DeviceWeights> DeviceWeights::load(std::shared_ptr<vk::Device> device,
                                                         std::shared_ptr<const Model> model,
                                                         WeightPlacement placement,
                                                         const LoadProgress &progress) {
  model->verify_once([&] { return !progress || progress(0, model->file().bytes().size()); });
  std::shared_ptr<DeviceWeights> weights(new DeviceWeights(std::move(device), std::move(model)));
  const DeviceCaps &caps = weights->device_->caps();
  const bool wanted = placement == WeightPlacement::Import ||
                      (placement == WeightPlacement::Automatic && caps.unified_memory);
  if (wanted && weights->import()) return weights;
  try {
    weights->copy(progress);
  } catch (const Error &e) {
    if (e.code() != ErrorCode::OutOfMemory) throw;
    fail(e.code(), weights->model_->path(), ": ", e.what(),
         "; a smaller encoding (fovea convert --encoding q8 or q4) needs less");
  }
  return weights;
}

DeviceWeights::DeviceWeights(std::shared_ptr<vk::Device> device, std::shared_ptr<const Model> model)
    : device_(std::move(device)), model_(std::move(model)) {
  const DeviceCaps &caps = device_->caps();
  max_range_ = std::min(caps.max_storage_buffer_range, caps.max_allocation_bytes / 4);
  step_ = align_down(caps.max_allocation_bytes - max_range_, kChunkAlignment);
  const uint64_t size = model_->file().bytes().size();
  if (size <= caps.max_allocation_bytes) step_ = align_up(size, kChunkAlignment);
}

DeviceWeights::~DeviceWeights() {
  if (!device_->context()->may_destroy()) (void)keeper_.release();
}

bool DeviceWeights::import() {
  if (!device_->caps().host_pointer_import) return false;
  const auto bytes = model_->file().bytes();
  std::vector<Chunk> chunks;
  for (uint64_t begin = 0; begin < bytes.size(); begin += step_) {
    const uint64_t size = std::min<uint64_t>(
        step_ == align_up(bytes.size(), kChunkAlignment) ? step_ : step_ + max_range_, bytes.size() - begin);
    auto buffer = device_->import_host(bytes.subspan(begin, size), "weights");
    if (!buffer) return false;
    chunks.push_back({begin, std::move(*buffer)});
  }
  chunks_ = std::move(chunks);
  keeper_ = std::make_unique<std::shared_ptr<const Model>>(model_);
  imported_ = true;
  return true;
}

void DeviceWeights::copy(const LoadProgress &progress) {
  const uint64_t total = model_->file().bytes().size();
  const auto kind = device_->caps().unified_memory ? vk::MemoryKind::Shared : vk::MemoryKind::Device;
  // Rounded up so that the last binding may be read in whole 16-byte words.
  const auto chunk_bytes = [&](uint64_t begin) {
    return align_up(std::min(step_ >= total ? total : step_ + max_range_, total - begin), 256);
  };
  for (uint64_t begin = 0; begin < total; begin += step_) device_bytes_ += chunk_bytes(begin);
  device_->require_memory(device_bytes_, "weights");
  for (uint64_t begin = 0; begin < total; begin += step_)
    chunks_.push_back({begin, device_->allocate(kind, chunk_bytes(begin), "weights")});
  stream(progress);
}

void DeviceWeights::stream(const LoadProgress &progress) {
  const auto file = model_->file().bytes();
  struct Stage {
    vk::Buffer buffer;
    vk::Recording recording;
    vk::Fence fence;
  };
  std::vector<Stage> stages;
  uint64_t done = 0;
  size_t turn = 0;
  const auto report = [&](uint64_t bytes) {
    done += bytes;
    if (progress && !progress(std::min<uint64_t>(done, device_bytes_), device_bytes_))
      fail(ErrorCode::Cancelled, model_->path(), ": loading was cancelled");
  };
  for (Chunk &chunk : chunks_) {
    const uint64_t size = std::min<uint64_t>(chunk.buffer.size_bytes(), file.size() - chunk.begin);
    for (uint64_t at = 0; at < size; at += kStagingBytes) {
      const uint64_t n = std::min(kStagingBytes, size - at);
      const std::byte *from = file.data() + chunk.begin + at;
      if (chunk.buffer.data()) {
        std::memcpy(chunk.buffer.data() + at, from, n);
        chunk.buffer.flush(at, n);
        report(n);
        continue;
      }
      if (stages.size() < 2)
        stages.push_back(
            {device_->allocate(vk::MemoryKind::Staging, kStagingBytes, "staging"), {}, device_->fence()});
      Stage &stage = stages[turn++ % 2];
      stage.fence.wait();
      std::memcpy(stage.buffer.data(), from, n);
      stage.buffer.flush(0, n);
      vk::Recorder recorder = device_->recorder();
      recorder.copy(stage.buffer, 0, chunk.buffer, at, align_up(n, 4));
      recorder.barrier(vk::Hazard::TransferToCompute);
      stage.recording = recorder.finish();
      stage.fence.submit(stage.recording.parts());
      report(n);
    }
  }
  for (Stage &stage : stages) stage.fence.wait();
}

vk::Binding DeviceWeights::bind(uint32_t slot, uint64_t offset, uint64_t bytes) const {
  const Chunk &chunk = chunks_.at(std::min<uint64_t>(offset / step_, chunks_.size() - 1));
  return {slot, &chunk.buffer, offset - chunk.begin, bytes};
}

} // namespace fovea
