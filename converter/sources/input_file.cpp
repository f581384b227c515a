#include "converter/sources/input_file.h"

#include "base/uninterrupted.h"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

namespace fovea {

InputFile::InputFile(const std::string &path) : path_(path) {
  // A pipe must not make open() wait.
  fd_ = uninterrupted([&] { return ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK); });
  if (fd_ < 0) fail(errno == ENOENT ? ErrorCode::NotFound : ErrorCode::Io, path, ": ", std::strerror(errno));
  struct stat status {};
  if (::fstat(fd_, &status) != 0 || !S_ISREG(status.st_mode)) {
    ::close(fd_);
    fail(ErrorCode::InvalidFile, path, ": not a regular file");
  }
  size_bytes_ = uint64_t(status.st_size);
}

InputFile::~InputFile() {
  if (fd_ >= 0) ::close(fd_);
}

void InputFile::read_at(uint64_t offset, std::span<std::byte> out) const {
  if (fd_ < 0) {
    const auto rest = memory_.subspan(size_t(std::min<uint64_t>(offset, memory_.size())));
    if (rest.size() < out.size())
      fail(ErrorCode::InvalidFile, path_, ": truncated at byte ", offset + rest.size());
    std::copy_n(rest.begin(), out.size(), out.begin());
    return;
  }
  while (!out.empty()) {
    const ssize_t n = uninterrupted([&] { return ::pread(fd_, out.data(), out.size(), off_t(offset)); });
    if (n < 0) fail(ErrorCode::Io, path_, ": ", std::strerror(errno));
    if (n == 0) fail(ErrorCode::InvalidFile, path_, ": truncated at byte ", offset);
    offset += uint64_t(n);
    out = out.subspan(size_t(n));
  }
}

std::string InputFile::text(uint64_t max_bytes) const {
  if (size_bytes_ > max_bytes)
    fail(ErrorCode::InvalidFile, path_, ": ", size_bytes_, " bytes, at most ", max_bytes, " expected");
  std::string out(size_bytes_, '\0');
  read_at(0, std::as_writable_bytes(std::span(out.data(), out.size())));
  return out;
}

void FileCursor::need(uint64_t n_bytes, std::string_view what) const {
  if (n_bytes > remaining())
    fail(ErrorCode::InvalidFile, file_.path(), ": truncated: ", what, " at byte ", at_, " needs ", n_bytes,
         " bytes, ", remaining(), " remain");
}

void FileCursor::read(std::span<std::byte> out, std::string_view what) {
  constexpr uint64_t kBufferBytes = 1 << 16;
  need(out.size(), what);
  if (out.size() >= kBufferBytes) {
    file_.read_at(at_, out);
    at_ += out.size();
    return;
  }
  if (at_ < buffer_at_ || at_ + out.size() > buffer_at_ + buffer_.size()) {
    buffer_at_ = at_;
    buffer_.resize(std::min(kBufferBytes, remaining()));
    file_.read_at(at_, std::as_writable_bytes(std::span(buffer_.data(), buffer_.size())));
  }
  if (!out.empty()) std::memcpy(out.data(), buffer_.data() + (at_ - buffer_at_), out.size());
  at_ += out.size();
}

std::string FileCursor::text(uint64_t n_bytes, std::string_view what) {
  need(n_bytes, what);
  std::string out(n_bytes, '\0');
  read(std::as_writable_bytes(std::span(out.data(), out.size())), what);
  return out;
}

void FileCursor::skip(uint64_t n_bytes, std::string_view what) {
  need(n_bytes, what);
  at_ += n_bytes;
}

} // namespace fovea
