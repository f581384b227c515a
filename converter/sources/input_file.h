// InputFile: a file read in pieces, so that memory holds what is asked for and no more.
//
// Owns the descriptor, not bytes in memory; move-only; read_at() may run on any number of threads. Errors
// (NotFound, Io, InvalidFile) name the path. Rejected: a memory map, whose pages count as the process's
// memory and which kills the process when the file shrinks.
#pragma once

#include "base/error.h"

#include <cstddef>
#include <cstdint>
#include <span>
#include <utility>

namespace fovea {

class InputFile {
public:
  /// Opens a regular file.
  explicit InputFile(const std::string &path);
  /// A file's bytes that are in memory already, under a name for errors; they outlive this.
  InputFile(std::string name, std::span<const std::byte> bytes)
      : path_(std::move(name)), memory_(bytes), size_bytes_(bytes.size()) {}
  ~InputFile();
  InputFile(InputFile &&other) noexcept
      : path_(std::move(other.path_)), fd_(std::exchange(other.fd_, -1)), memory_(other.memory_),
        size_bytes_(other.size_bytes_) {}
  InputFile &operator=(InputFile &&) = delete;

  const std::string &path() const { return path_; }
  uint64_t size_bytes() const { return size_bytes_; }
  /// Fills `out` from `offset`. Error InvalidFile when the file ends before.
  void read_at(uint64_t offset, std::span<std::byte> out) const;
  /// The whole file as text, of at most `max_bytes`.
  std::string text(uint64_t max_bytes) const;

private:
  std::string path_;
  int fd_ = -1; // none: the bytes are in memory_
  std::span<const std::byte> memory_;
  uint64_t size_bytes_ = 0;
};

/// A forward, buffered cursor over an InputFile, or over bytes `begin` … `end` of it (inside the file), for
/// binary headers. One thread. Reads past the end are InvalidFile.
class FileCursor {
public:
  explicit FileCursor(const InputFile &file) : FileCursor(file, 0, file.size_bytes()) {}
  FileCursor(const InputFile &file, uint64_t begin, uint64_t end) : file_(file), at_(begin), end_(end) {}

  const InputFile &file() const { return file_; }
  uint64_t position() const { return at_; }
  uint64_t remaining() const { return end_ - at_; }
  template <class T> T read(std::string_view what) {
    T value;
    read(std::as_writable_bytes(std::span(&value, 1)), what);
    return value;
  }
  void read(std::span<std::byte> out, std::string_view what);
  std::string text(uint64_t n_bytes, std::string_view what);
  void skip(uint64_t n_bytes, std::string_view what);
  /// Back to a position that it has been at.
  void rewind(uint64_t position) { at_ = position; }

private:
  void need(uint64_t n_bytes, std::string_view what) const;
  const InputFile &file_;
  uint64_t at_, end_, buffer_at_ = 0;
  std::string buffer_;
};

} // namespace fovea
