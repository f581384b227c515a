#include "check/verdicts.h"

#include "base/log.h"
#include "base/mapped_file.h"
#include "check/kernel_case.h"
#include "vk/pipeline_cache.h"

#include <atomic>
#include <dirent.h>
#include <fcntl.h>
#include <filesystem>
#include <memory>
#include <string_view>
#include <sys/file.h>
#include <unistd.h>

namespace fovea::check {
namespace {

namespace fs = std::filesystem;
constexpr uint64_t kMaxBytes = 16 << 20;

/// Nothing where there is no file; a damaged one is told of and ignored.
VerdictTable load(const std::string &path, uint64_t key) {
  std::error_code unreadable;
  if (path.empty() || !fs::exists(path, unreadable)) return {};
  try {
    const MappedFile file(path);
    const auto bytes = file.bytes();
    if (bytes.size() > kMaxBytes)
      fail(ErrorCode::InvalidArgument, bytes.size(), " bytes are more than a table has");
    return parse_verdicts({reinterpret_cast<const char *>(bytes.data()), bytes.size()}, key);
  } catch (const Error &e) {
    log(LogLevel::Warning, path, ": ignored, kernels are checked again: ", e.what());
    return {};
  }
}

} // namespace

Verdicts::Verdicts(const std::string &folder, const DeviceCaps &caps)
    : path_(folder.empty() ? "" : concat(folder, "/verdicts-", hex(vk::device_key(caps)), ".txt")),
      key_(vk::device_key(caps)), device_(concat(caps.name, ", ", caps.driver_info)),
      table_(load(path_, key_)) {
  note_crash();
}

std::optional<Verdict> Verdicts::find(const vk::KernelVariant &variant) const {
  const std::lock_guard lock(mutex_);
  const auto found = table_.find(variant);
  return found == table_.end() ? std::nullopt : std::optional(found->second);
}

void Verdicts::set(const vk::KernelVariant &variant, Verdict verdict) {
  const std::lock_guard lock(mutex_);
  table_.insert_or_assign(variant, std::move(verdict));
}

VerdictTable Verdicts::all() const {
  const std::lock_guard lock(mutex_);
  return table_;
}

void Verdicts::save() noexcept {
  if (path_.empty()) return;
  try {
    const std::lock_guard lock(mutex_);
    VerdictTable merged = table_; // what this process found goes before what another one wrote meanwhile
    for (auto &[variant, verdict] : load(path_, key_)) merged.emplace(variant, verdict);
    std::error_code failed;
    fs::create_directories(fs::path(path_).parent_path(), failed);
    AtomicFile file(path_);
    file.write(print_verdicts(merged, key_, device_));
    file.commit();
  } catch (const std::exception &e) {
    try {
      log(LogLevel::Info, "verdicts not saved: ", e.what());
    } catch (...) { // out of memory while saying so
    }
  }
}

void Verdicts::clear() {
  const std::lock_guard lock(mutex_);
  table_.clear();
  std::error_code failed;
  if (!path_.empty()) fs::remove(path_, failed);
  if (failed) fail(ErrorCode::Io, path_, ": cannot be removed: ", failed.message());
}

void Verdicts::note_crash() {
  std::error_code failed;
  const fs::path own(path_);
  if (path_.empty() || !fs::is_directory(own.parent_path(), failed)) return;
  const std::string prefix = own.filename().string() + ".trying-";
  bool found = false;
  // Not fs::directory_iterator: libstdc++'s ends the process where there is no memory for a name.
  const std::unique_ptr<DIR, int (*)(DIR *)> folder(::opendir(own.parent_path().c_str()), ::closedir);
  for (const dirent *entry = nullptr; folder && (entry = ::readdir(folder.get()));) {
    if (!std::string_view(entry->d_name).starts_with(prefix)) continue;
    const fs::path path = own.parent_path() / entry->d_name;
    const int fd = ::open(path.c_str(), O_RDWR | O_CLOEXEC);
    if (fd < 0) continue;
    char text[1024];
    // Locked: its process lives and is still at it.
    const ssize_t n = ::flock(fd, LOCK_EX | LOCK_NB) == 0 ? ::read(fd, text, sizeof text) : -1;
    ::close(fd);
    if (n < 0) continue;
    try {
      const vk::KernelVariant variant = parse_variant({text, size_t(n)});
      table_[variant] = {false, "the process ended while the kernel was tried"};
      found = true;
    } catch (const Error &) { // it ended before it had written
    }
    fs::remove(path, failed);
  }
  if (found) save();
}

Verdicts::Attempt::Attempt(const Verdicts &verdicts, const vk::KernelVariant &variant) {
  if (verdicts.path_.empty()) return;
  static std::atomic<uint64_t> n_attempts{0}; // two devices of one process may be at it
  path_ = concat(verdicts.path_, ".trying-", ::getpid(), "-", ++n_attempts);
  std::error_code failed;
  fs::create_directories(fs::path(path_).parent_path(), failed);
  fd_ = ::open(path_.c_str(), O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
  if (fd_ < 0) return; // a read-only folder: no protection, no error
  const std::string text = print_variant(variant);
  if (::flock(fd_, LOCK_EX | LOCK_NB) != 0 ||
      ::write(fd_, text.data(), text.size()) != ssize_t(text.size())) {
    ::close(fd_);
    fd_ = -1;
    return;
  }
  ::fsync(fd_);
}

Verdicts::Attempt::~Attempt() {
  if (fd_ < 0) return;
  ::unlink(path_.c_str());
  ::close(fd_);
}

} // namespace fovea::check
