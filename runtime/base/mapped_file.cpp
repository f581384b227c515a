#include "base/mapped_file.h"

#include "base/uninterrupted.h"

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fcntl.h>
#include <filesystem>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>
#include <utility>

namespace fovea {

MappedFile::MappedFile(const std::string &path) : path_(path) {
  const int fd = uninterrupted([&] { return ::open(path.c_str(), O_RDONLY | O_CLOEXEC); });
  if (fd < 0) fail(errno == ENOENT ? ErrorCode::NotFound : ErrorCode::Io, path, ": ", std::strerror(errno));
  struct stat status {};
  const int got = ::fstat(fd, &status);
  const int fstat_error = errno;
  if (got != 0 || !S_ISREG(status.st_mode) || status.st_size == 0) {
    ::close(fd);
    if (got != 0) fail(ErrorCode::Io, path, ": ", std::strerror(fstat_error));
    fail(ErrorCode::InvalidFile, path,
         S_ISREG(status.st_mode)   ? ": the file is empty"
         : S_ISDIR(status.st_mode) ? ": is a folder, not a file"
                                   : ": not a regular file");
  }
  size_ = size_t(status.st_size);
  void *address = ::mmap(nullptr, size_, PROT_READ, MAP_PRIVATE, fd, 0);
  const int mmap_error = errno;
  ::close(fd);
  if (address == MAP_FAILED) fail(ErrorCode::Io, path, ": cannot map: ", std::strerror(mmap_error));
  data_ = static_cast<const std::byte *>(address);
}

MappedFile::~MappedFile() {
  if (data_ && !is_borrowed_) ::munmap(const_cast<std::byte *>(data_), size_);
}

namespace {

constexpr const char *kPartSuffix = ".part-XXXXXX";

std::string folder_of(const std::string &path) {
  const std::string folder = std::filesystem::path(path).parent_path().string();
  return folder.empty() ? "." : folder;
}

std::string own_link(int fd) { return concat("/proc/self/fd/", fd); }

} // namespace

AtomicFile::AtomicFile(const std::string &path, Kind kind) : path_(path), target_(path) {
  // Renaming over a device or a pipe would replace it.
  std::error_code ignored;
  const auto status = std::filesystem::status(path, ignored);
  if (std::filesystem::exists(status) && !std::filesystem::is_regular_file(status))
    fail(ErrorCode::Io, path,
         std::filesystem::is_directory(status) ? ": is a directory" : ": is not a regular file");
  if (std::filesystem::exists(status)) target_ = std::filesystem::canonical(path).string();
  if (kind == Kind::Nameless && open_nameless()) return;
  fd_ = uninterrupted([&] {
    temporary_ = target_ + kPartSuffix; // the call has made a name of it
    return ::mkostemp(temporary_.data(), O_CLOEXEC);
  });
  if (fd_ < 0) {
    temporary_.clear();
    fail_io("cannot create");
  }
  ::fchmod(fd_, 0644);
}

bool AtomicFile::open_nameless() {
#if defined(O_TMPFILE) && !defined(__ANDROID__)
  const std::string folder = folder_of(target_);
  fd_ = uninterrupted([&] { return ::open(folder.c_str(), O_TMPFILE | O_RDWR | O_CLOEXEC, 0666); });
  if (fd_ < 0) return false;
  struct stat status {};
  if (::stat(own_link(fd_).c_str(), &status) == 0) return true; // what commit() links
  ::close(fd_);
  fd_ = -1;
#endif
  return false;
}

/// Gives the nameless file its name. False when there is a file of that name: then it got one to rename from.
bool AtomicFile::link_into_place() {
  const std::string from = own_link(fd_);
  const auto link = [&](const std::string &to) {
    return ::linkat(AT_FDCWD, from.c_str(), AT_FDCWD, to.c_str(), AT_SYMLINK_FOLLOW) == 0;
  };
  if (link(target_)) return true;
  if (errno != EEXIST) fail_io("cannot create");
  for (unsigned attempt = 0; attempt < 100; ++attempt) {
    std::string name = concat(target_, ".part-", ::getpid(), "-", attempt);
    if (link(name)) {
      temporary_ = std::move(name);
      return false;
    }
    if (errno != EEXIST) break;
  }
  fail_io("cannot create");
}

AtomicFile::~AtomicFile() {
  if (fd_ >= 0) ::close(fd_);
  if (!temporary_.empty()) ::unlink(temporary_.c_str());
}

void AtomicFile::fail_io(const char *what) const {
  fail(ErrorCode::Io, path_, ": ", what, ": ", std::strerror(errno));
}

void AtomicFile::write(std::span<const std::byte> bytes) {
  const uint64_t at = size_;
  size_ += bytes.size();
  write_at(at, bytes);
}

void AtomicFile::write_at(uint64_t offset, std::span<const std::byte> bytes) {
  if (offset + bytes.size() > size_) fail(ErrorCode::Internal, path_, ": write past the end");
  while (!bytes.empty()) {
    const ssize_t n = uninterrupted([&] { return ::pwrite(fd_, bytes.data(), bytes.size(), off_t(offset)); });
    if (n < 0) fail_io("cannot write");
    offset += uint64_t(n);
    bytes = bytes.subspan(size_t(n));
  }
}

void write_whole_file(const std::string &path, std::span<const std::byte> bytes) {
  std::error_code ignored;
  const auto status = std::filesystem::status(path, ignored);
  if (!std::filesystem::is_other(status)) {
    AtomicFile file(path);
    file.write(bytes);
    return file.commit();
  }
  std::FILE *file = std::fopen(path.c_str(), "wbe");
  if (!file) fail(ErrorCode::Io, path, ": cannot be opened: ", std::strerror(errno));
  const bool written = bytes.empty() || std::fwrite(bytes.data(), 1, bytes.size(), file) == bytes.size();
  const int write_error = errno;
  const bool closed = std::fclose(file) == 0;
  if (!written || !closed)
    fail(ErrorCode::Io, path, ": cannot write: ", std::strerror(written ? errno : write_error));
}

void AtomicFile::commit() {
  if (uninterrupted([&] { return ::fsync(fd_); }) != 0) fail_io("cannot sync");
  const bool is_named = temporary_.empty() && link_into_place();
  const int closed = ::close(fd_);
  fd_ = -1;
  if (closed != 0 && errno != EINTR) fail_io("cannot close"); // interrupted or not, it is closed
  if (!is_named && ::rename(temporary_.c_str(), target_.c_str()) != 0) fail_io("cannot rename into place");
  temporary_.clear();
  // The rename itself must survive a power cut. Not every file system lets a folder be synced; that is no
  // error.
  const int fd = ::open(folder_of(target_).c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (fd >= 0) {
    ::fsync(fd);
    ::close(fd);
  }
}

} // namespace fovea
