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
  /// A file's bytes that are in memory already, under a name for errors; they outlive this. Their address
  /// need not be page-aligned.
  MappedFile(std::string name, std::span<const std::byte> bytes)
      : data_(bytes.data()), size_(bytes.size()), path_(std::move(name)), is_borrowed_(true) {}
  ~MappedFile();
  MappedFile(MappedFile &&other) noexcept { swap(other); }
  MappedFile &operator=(MappedFile &&other) noexcept {
    swap(other);
    return *this;
  }

  /// The file's bytes. Of a mapped one the address is page-aligned, and the last page is readable to its end
  /// (zeros).
  std::span<const std::byte> bytes() const { return {data_, size_}; }
  const std::string &path() const { return path_; }

private:
  void swap(MappedFile &other) noexcept {
    std::swap(data_, other.data_);
    std::swap(size_, other.size_);
    std::swap(path_, other.path_);
    std::swap(is_borrowed_, other.is_borrowed_);
  }
  const std::byte *data_ = nullptr;
  size_t size_ = 0;
  std::string path_;
  bool is_borrowed_ = false;
};

/// Writes to a file without a name in the folder of `path` (O_TMPFILE), which commit() syncs and then gives
/// the name: without commit() (an error, a full disk, even kill -9) nothing is left and `path` is as it was.
/// Where the file system has no such files (NFS, FAT; Android, where apps may not link) it is
/// PATH.part-XXXXXX, renamed by commit() and removed by the destructor; only a kill leaves it. A symbolic
/// link stays one: what it points to is replaced. Errors are Io and name `path`.
class AtomicFile {
public:
  enum class Kind { Nameless, Named }; // Named: as where file systems have no others, for tests
  explicit AtomicFile(const std::string &path, Kind kind = Kind::Nameless);
  ~AtomicFile();
  AtomicFile(const AtomicFile &) = delete;
  AtomicFile &operator=(const AtomicFile &) = delete;

  /// Appends at the current end.
  void write(std::span<const std::byte> bytes);
  void write(std::string_view text) { write(std::as_bytes(std::span(text.data(), text.size()))); }
  /// Overwrites bytes written before; `offset + bytes.size()` must not pass the end.
  void write_at(uint64_t offset, std::span<const std::byte> bytes);
  uint64_t size() const { return size_; }
  /// fsync, link or rename to the final name, fsync of the folder.
  void commit();

private:
  [[noreturn]] void fail_io(const char *what) const;
  bool open_nameless();
  bool link_into_place();
  std::string path_, target_; // as given; with links resolved
  std::string temporary_;     // "": the file has no name yet
  int fd_ = -1;
  uint64_t size_ = 0;
};

/// The whole file at once, by AtomicFile; pipes and devices, which a rename would replace, are written to as
/// they are.
void write_whole_file(const std::string &path, std::span<const std::byte> bytes);

} // namespace fovea
