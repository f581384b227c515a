// MappedFile: a whole file, read-only, in memory. AtomicFile: a file that appears whole or not at all.
// Both move-only; one thread at a time, but bytes() of a MappedFile may be read from any number of threads.
#pragma once

#include "base/error.h"

#include <cstddef>
#include <cstdint>
#include <span>

namespace fovea {

class MappedFile {
public:
  MappedFile() = default;
  /// Maps `path` privately and read-only. Error NotFound, or Io; a directory or an empty file is InvalidFile.
  explicit MappedFile(const std::string &path);
  ~MappedFile();
  MappedFile(MappedFile &&other) noexcept { swap(other); }
  MappedFile &operator=(MappedFile &&other) noexcept {
    swap(other);
    return *this;
  }

  /// The file's bytes. The address is page-aligned, and the last page is readable to its end (zeros).
  std::span<const std::byte> bytes() const { return {data_, size_}; }
  const std::string &path() const { return path_; }

private:
  void swap(MappedFile &other) noexcept {
    std::swap(data_, other.data_);
    std::swap(size_, other.size_);
    std::swap(path_, other.path_);
  }
  const std::byte *data_ = nullptr;
  size_t size_ = 0;
  std::string path_;
};

/// Writes to a temporary file beside `path`; commit() syncs and renames it over `path`. Without commit() (an
/// error, a full disk) the destructor removes the temporary file and `path` is as it was. Errors are Io and
/// name `path`.
class AtomicFile {
public:
  explicit AtomicFile(const std::string &path);
  ~AtomicFile();
  AtomicFile(const AtomicFile &) = delete;
  AtomicFile &operator=(const AtomicFile &) = delete;

  /// Appends at the current end.
  void write(std::span<const std::byte> bytes);
  void write(std::string_view text) { write(std::as_bytes(std::span(text.data(), text.size()))); }
  /// Overwrites bytes written before; `offset + bytes.size()` must not pass the end.
  void write_at(uint64_t offset, std::span<const std::byte> bytes);
  uint64_t size() const { return size_; }
  /// fsync, rename over the final name, fsync of the folder.
  void commit();

private:
  [[noreturn]] void fail_io(const char *what) const;
  std::string path_, temporary_;
  int fd_ = -1;
  uint64_t size_ = 0;
};

} // namespace fovea
