// PipelineCache: the driver's compiled pipelines, kept on disk between runs.
//
// The file (folder: see cache_folder()) is keyed by vendor, device, driver version, pipelineCacheUUID and a
// hash of all SPIR-V, and carries its own header and checksum: foreign, truncated or damaged files are
// ignored. A marker file lies beside it while the driver reads it, so a crash in the driver makes the next
// start delete the cache. A folder that cannot be written is no error. Thread-safety: save() from one thread
// at a time; handle() is for vkCreate*Pipelines, which synchronizes it.
#pragma once

#include "vk/context.h"

#include <shared_mutex>
#include <span>

namespace fovea::vk {

/// FOVEA_CACHE_DIR, else $XDG_CACHE_HOME/fovea, else ~/.cache/fovea; empty when there is no home either.
std::string cache_folder();

/// A hash of the device, its driver (vendor, device, versions, pipelineCacheUUID, names) and what it pretends
/// to be. Pure.
uint64_t device_key(const DeviceCaps &caps);
/// What files in the folder are keyed by: that, and all SPIR-V. Compiled pipelines have the key of the device
/// as it is: the driver makes the same of the same kernel. Pure.
uint64_t cache_key(const DeviceCaps &caps);

/// Wraps the driver's data in our header; unwrap gives it back, or nothing (with the reason in *why) when the
/// file is not exactly what wrap() made for this key. Pure.
std::vector<std::byte> wrap_cache(std::span<const std::byte> data, uint64_t key);
std::span<const std::byte> unwrap_cache(std::span<const std::byte> file, uint64_t key, std::string *why);

class PipelineCache {
public:
  /// `folder` empty: in memory only.
  PipelineCache(std::shared_ptr<Context> context, const std::string &folder);
  ~PipelineCache();
  PipelineCache(const PipelineCache &) = delete;
  PipelineCache &operator=(const PipelineCache &) = delete;

  VkPipelineCache handle() const { return handle_; }
  /// To be held while pipelines are created with it.
  std::shared_lock<std::shared_mutex> use() { return std::shared_lock(use_mutex_); }
  /// Where the data is kept; empty when nowhere.
  const std::string &path() const { return path_; }
  /// True when the data of an earlier run was given to the driver.
  bool loaded() const { return loaded_; }
  /// Takes in what another process has stored since. Never throws; what fails is logged.
  void merge_file() noexcept;
  /// Writes what the driver has, if it differs from the file. Never throws; what fails is logged.
  void save() noexcept;

private:
  std::vector<std::byte> read_file();
  VkPipelineCache create(std::span<const std::byte> data);
  VkPipelineCache load();

  std::shared_ptr<Context> context_;
  uint64_t key_ = 0;
  std::string path_;
  VkPipelineCache handle_ = VK_NULL_HANDLE;
  bool loaded_ = false;
  uint64_t saved_hash_ = 0;
  std::mutex mutex_; // one save() at a time
  std::shared_mutex use_mutex_;
};

} // namespace fovea::vk
