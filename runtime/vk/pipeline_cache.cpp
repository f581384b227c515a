#include "vk/pipeline_cache.h"

#include "base/device_profile.h"
#include "base/hash.h"
#include "base/log.h"
#include "base/mapped_file.h"
#include "kernels/catalogue.h"
#include "kernels/tuning.h"

#include <cstdlib>
#include <cstring>
#include <fcntl.h>
#include <filesystem>
#include <sys/file.h>
#include <unistd.h>

namespace fovea::vk {
namespace {

struct FileHeader {
  char magic[8];
  uint64_t key, size_bytes, hash;
};
constexpr char kMagic[8] = {'f', 'o', 'v', 'e', 'a', 'p', 'c', '1'};

/// Lies beside the cache while the driver reads it. Found with content and without an owner, it means that
/// the driver took the process down. Locked, so that a second process starting meanwhile does not take ours
/// for a crash.
class Marker {
public:
  explicit Marker(std::string path) : path_(std::move(path)) {
    fd_ = ::open(path_.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0644);
    if (fd_ < 0) return; // a read-only folder: no protection, no error
    if (::flock(fd_, LOCK_EX | LOCK_NB) != 0) {
      ::close(fd_);
      fd_ = -1;
      return;
    }
    char byte;
    crashed_ = ::pread(fd_, &byte, 1, 0) == 1;
    if (::pwrite(fd_, "1", 1, 0) == 1) ::fsync(fd_);
  }
  ~Marker() {
    if (fd_ < 0) return;
    if (::ftruncate(fd_, 0) == 0) ::unlink(path_.c_str());
    ::close(fd_);
  }
  Marker(const Marker &) = delete;
  Marker &operator=(const Marker &) = delete;
  bool crashed() const { return crashed_; }

private:
  std::string path_;
  int fd_ = -1;
  bool crashed_ = false;
};

std::string environment(const char *name) {
  const char *value = std::getenv(name);
  return value ? value : "";
}

} // namespace

uint64_t device_key(const DeviceCaps &caps) {
  uint64_t hash = kHashSeed;
  for (uint32_t value :
       {caps.vendor_id, caps.device_id, caps.driver_version, caps.driver_id, caps.api_version})
    hash = hash_value(value, hash);
  hash = hash_bytes(std::as_bytes(std::span(caps.pipeline_cache_uuid)), hash);
  for (const std::string &text : {caps.name, caps.driver_name, caps.driver_info})
    hash = hash_bytes(std::as_bytes(std::span(text.data(), text.size() + 1)), hash);
  if (caps.profile) hash = hash_value(caps.profile->hash(), hash);
  return hash;
}

uint64_t cache_key(const DeviceCaps &caps) { return hash_value(spirv_hash(), device_key(caps)); }

std::string cache_folder() {
  if (const std::string folder = environment("FOVEA_CACHE_DIR"); !folder.empty()) return folder;
  if (const std::string cache = environment("XDG_CACHE_HOME"); !cache.empty()) return cache + "/fovea";
  if (const std::string home = environment("HOME"); !home.empty()) return home + "/.cache/fovea";
  return {};
}

std::vector<std::byte> wrap_cache(std::span<const std::byte> data, uint64_t key) {
  FileHeader header{{}, key, data.size(), hash_bytes(data)};
  std::memcpy(header.magic, kMagic, sizeof kMagic);
  std::vector<std::byte> file(sizeof header + data.size());
  std::memcpy(file.data(), &header, sizeof header);
  if (!data.empty()) std::memcpy(file.data() + sizeof header, data.data(), data.size());
  return file;
}

std::span<const std::byte> unwrap_cache(std::span<const std::byte> file, uint64_t key, std::string *why) {
  const auto no = [&](const char *reason) {
    if (why) *why = reason;
    return std::span<const std::byte>();
  };
  FileHeader header;
  if (file.size() < sizeof header) return no("truncated");
  std::memcpy(&header, file.data(), sizeof header);
  if (std::memcmp(header.magic, kMagic, sizeof kMagic) != 0) return no("not a pipeline cache");
  if (header.key != key) return no("made by another driver, device or version of Fovea");
  const auto data = file.subspan(sizeof header);
  if (header.size_bytes != data.size()) return no("truncated");
  if (header.hash != hash_bytes(data)) return no("damaged");
  return data;
}

PipelineCache::PipelineCache(std::shared_ptr<Context> context, const std::string &folder)
    : context_(std::move(context)), key_(cache_key(context_->physical.info.caps)) {
  if (!folder.empty()) path_ = folder + "/pipelines-" + hex(key_) + ".bin";
  handle_ = load();
  loaded_ = handle_ != VK_NULL_HANDLE;
  if (loaded_) return;
  Context &c = *context_;
  const auto info = structure<VkPipelineCacheCreateInfo>(VK_STRUCTURE_TYPE_PIPELINE_CACHE_CREATE_INFO);
  c.check(c.fn.CreatePipelineCache(c.device, &info, nullptr, &handle_), handle_, "vkCreatePipelineCache");
}

VkPipelineCache PipelineCache::create(std::span<const std::byte> data) {
  auto info = structure<VkPipelineCacheCreateInfo>(VK_STRUCTURE_TYPE_PIPELINE_CACHE_CREATE_INFO);
  info.initialDataSize = data.size();
  info.pInitialData = data.data();
  VkPipelineCache out = VK_NULL_HANDLE;
  const VkResult result = context_->fn.CreatePipelineCache(context_->device, &info, nullptr, &out);
  return result == VK_SUCCESS ? out : VK_NULL_HANDLE;
}

/// Of the file's data; null where there is none that can be used.
VkPipelineCache PipelineCache::load() {
  std::error_code unreadable;
  if (path_.empty() || !std::filesystem::exists(path_, unreadable)) return VK_NULL_HANDLE;
  const Marker marker(path_ + ".loading");
  if (marker.crashed()) {
    std::error_code ignored;
    std::filesystem::remove(path_, ignored);
    log(LogLevel::Warning, path_, ": deleted, because the driver crashed while it read it");
    return VK_NULL_HANDLE;
  }
  const std::vector<std::byte> data = read_file();
  const VkPipelineCache made = data.empty() ? VK_NULL_HANDLE : create(data);
  if (made) saved_hash_ = hash_bytes(data);
  return made;
}

void PipelineCache::merge_file() noexcept {
  try {
    const std::lock_guard saving(mutex_);
    const VkPipelineCache stored = load();
    if (!stored) return;
    const std::unique_lock alone(use_mutex_);
    const VkResult result = context_->fn.MergePipelineCaches(context_->device, handle_, 1, &stored);
    if (result != VK_SUCCESS) log(LogLevel::Info, path_, ": not merged: ", vk::to_string(result));
    context_->fn.DestroyPipelineCache(context_->device, stored, nullptr);
  } catch (const std::exception &error) {
    try {
      log(LogLevel::Info, "pipeline cache not merged: ", error.what());
    } catch (...) { // out of memory while saying so
    }
  }
}

PipelineCache::~PipelineCache() {
  if (!context_->may_destroy()) return;
  if (!context_->lost()) save();
  context_->fn.DestroyPipelineCache(context_->device, handle_, nullptr);
}

std::vector<std::byte> PipelineCache::read_file() {
  try {
    const MappedFile file(path_);
    std::string why;
    const auto data = unwrap_cache(file.bytes(), key_, &why);
    if (data.empty()) log(LogLevel::Info, path_, ": ignored: ", why.empty() ? "empty" : why);
    return {data.begin(), data.end()};
  } catch (const Error &error) {
    log(LogLevel::Info, "pipeline cache ignored: ", error.what());
    return {};
  }
}

void PipelineCache::save() noexcept {
  const Context &c = *context_;
  if (path_.empty() || c.lost()) return;
  try {
    const std::lock_guard lock(mutex_);
    size_t size = 0;
    if (c.fn.GetPipelineCacheData(c.device, handle_, &size, nullptr) != VK_SUCCESS || size == 0) return;
    std::vector<std::byte> data(size);
    if (c.fn.GetPipelineCacheData(c.device, handle_, &size, data.data()) != VK_SUCCESS)
      return; // grew: next time
    data.resize(size);
    const uint64_t hash = hash_bytes(data);
    if (hash == saved_hash_) return;
    std::filesystem::create_directories(std::filesystem::path(path_).parent_path());
    AtomicFile file(path_);
    file.write(wrap_cache(data, key_));
    file.commit();
    saved_hash_ = hash;
  } catch (const std::exception &error) {
    try {
      log(LogLevel::Info, "pipeline cache not saved: ", error.what());
    } catch (...) { // out of memory while saying so
    }
  }
}

} // namespace fovea::vk
