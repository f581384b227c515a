#include "audio/sound_input.h"

#include "base/error.h"
#include "base/uninterrupted.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <fcntl.h>
#include <sndfile.h>
#include <sys/stat.h>
#include <unistd.h>

namespace fovea {
namespace {
constexpr size_t kMaxPipedBytes = size_t(1) << 31;
constexpr size_t kPipeBlockBytes = 256 * 1024;
constexpr uint32_t kUnknownBytes = 0x7FFF0000; // encoders write 2 GiB or 4 GiB, or a little less, to pipes
constexpr uint64_t kHeaderBytes = 64;          // some writers count the header to the data
constexpr int kMaxChunks = 1000;
} // namespace

struct MemoryCallbacks {
  static SoundInput &of(void *user) { return *static_cast<SoundInput *>(user); }
  static sf_count_t length(void *user) { return sf_count_t(of(user).memory_.size()); }
  static sf_count_t tell(void *user) { return of(user).position_; }
  static sf_count_t seek(sf_count_t offset, int whence, void *user) {
    const sf_count_t base = whence == SEEK_SET ? 0 : whence == SEEK_CUR ? tell(user) : length(user);
    sf_count_t position;
    if (__builtin_add_overflow(base, offset, &position) || position < 0 || position > length(user)) return -1;
    return of(user).position_ = position;
  }
  static sf_count_t read(void *to, sf_count_t count, void *user) {
    const sf_count_t n = std::clamp<sf_count_t>(count, 0, length(user) - tell(user));
    std::memcpy(to, of(user).memory_.data() + tell(user), size_t(n));
    of(user).position_ += n;
    return n;
  }
  static sf_count_t write(const void *, sf_count_t, void *) { return 0; }
};

SoundInput::SoundInput(const std::string &path) : name_(path == "-" ? "standard input" : path) {
  fd_ = path == "-" ? ::fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 0)
                    : uninterrupted([&] { return ::open(path.c_str(), O_RDONLY | O_CLOEXEC); });
  if (fd_ < 0) fail(errno == ENOENT ? ErrorCode::NotFound : ErrorCode::Io, name_, ": ", std::strerror(errno));
  try {
    struct stat status {};
    if (::fstat(fd_, &status) != 0) fail(ErrorCode::Io, name_, ": ", std::strerror(errno));
    if (S_ISDIR(status.st_mode)) fail(ErrorCode::InvalidFile, name_, ": is a folder, not an audio file");
    if (::isatty(fd_))
      fail(ErrorCode::InvalidFile, name_, ": is a terminal; name an audio file or pipe one in");
    if (S_ISCHR(status.st_mode) || S_ISBLK(status.st_mode))
      fail(ErrorCode::InvalidFile, name_, ": is a device, not an audio file");
    streamed_ = path == "-" || !S_ISREG(status.st_mode);
    if (!S_ISREG(status.st_mode)) read_pipe();
    if (fd_ < 0 ? piped_.empty() : status.st_size == 0)
      fail(ErrorCode::InvalidFile, name_, ": the file is empty");
  } catch (...) {
    if (fd_ >= 0) ::close(fd_);
    throw;
  }
}

SoundInput::SoundInput(std::span<const std::byte> file, std::string name)
    : name_(std::move(name)), memory_(file) {
  if (file.empty()) fail(ErrorCode::InvalidFile, name_, ": the file is empty");
}

SoundInput::~SoundInput() {
  if (fd_ >= 0) ::close(fd_);
}

void SoundInput::read_pipe() {
  for (;;) {
    const size_t n_before = piped_.size();
    if (n_before > kMaxPipedBytes)
      fail(ErrorCode::InvalidFile, name_, ": more than 2 GiB through a pipe; name a file instead");
    piped_.resize(n_before + kPipeBlockBytes);
    const ssize_t n = uninterrupted([&] { return ::read(fd_, piped_.data() + n_before, kPipeBlockBytes); });
    if (n < 0) fail(ErrorCode::Io, name_, ": ", std::strerror(errno));
    piped_.resize(n_before + size_t(n));
    if (n == 0) break;
  }
  ::close(fd_);
  fd_ = -1;
  memory_ = piped_;
}

sf_private_tag *SoundInput::open(SF_INFO &info) {
  if (fd_ >= 0) return sf_open_fd(fd_, SFM_READ, &info, SF_FALSE);
  static SF_VIRTUAL_IO io = {MemoryCallbacks::length, MemoryCallbacks::seek, MemoryCallbacks::read,
                             MemoryCallbacks::write, MemoryCallbacks::tell};
  position_ = 0;
  return sf_open_virtual(&io, SFM_READ, &info, this);
}

size_t SoundInput::read_at(uint64_t offset, std::span<std::byte> to) const {
  if (fd_ >= 0) {
    size_t n_read = 0;
    while (n_read < to.size()) {
      const auto rest = to.subspan(n_read);
      const ssize_t n =
          uninterrupted([&] { return ::pread(fd_, rest.data(), rest.size(), off_t(offset + n_read)); });
      if (n < 0) fail(ErrorCode::Io, name_, ": ", std::strerror(errno));
      if (n == 0) break;
      n_read += size_t(n);
    }
    return n_read;
  }
  const auto rest = memory_.subspan(size_t(std::min<uint64_t>(offset, memory_.size())));
  return size_t(std::copy_n(rest.begin(), std::min(rest.size(), to.size()), to.begin()) - to.begin());
}

uint64_t SoundInput::size() const {
  struct stat status {};
  return fd_ < 0 ? memory_.size() : ::fstat(fd_, &status) == 0 ? uint64_t(status.st_size) : 0;
}

uint64_t SoundInput::n_missing_bytes() const {
  std::array<std::byte, 12> head{};
  const auto has = [&](size_t at, const char *id) { return std::memcmp(head.data() + at, id, 4) == 0; };
  if (streamed_ || read_at(0, head) < 12 || !has(0, "RIFF") || !has(8, "WAVE")) return 0;
  uint64_t at = 12;
  for (int i = 0; i < kMaxChunks && read_at(at, std::span(head).first(8)) == 8; ++i) {
    uint32_t n_bytes = 0;
    for (size_t k = 0; k < 4; ++k) n_bytes |= std::to_integer<uint32_t>(head[4 + k]) << (8 * k);
    at += 8;
    if (has(0, "data")) {
      const bool is_unknown = n_bytes == 0 || n_bytes >= kUnknownBytes;
      return is_unknown || at + n_bytes <= size() + kHeaderBytes ? 0 : at + n_bytes - size();
    }
    at += n_bytes + (n_bytes & 1U); // chunks begin at even bytes
  }
  return 0;
}

} // namespace fovea
