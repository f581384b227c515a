// SoundInput: where encoded sound comes from (a file, a pipe, memory), as libsndfile wants it. Internal to
// audio/. Owns the file descriptor or the bytes of a pipe, not those of memory. One thread at a time.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

struct sf_private_tag; // SNDFILE
struct SF_INFO;

namespace fovea {

class SoundInput {
public:
  /// "-" is standard input. Errors: NotFound, Io; InvalidFile for a folder, a device, a terminal, an empty
  /// file.
  explicit SoundInput(const std::string &path);
  SoundInput(std::span<const std::byte> file, std::string name);
  ~SoundInput();
  SoundInput(const SoundInput &) = delete;
  SoundInput &operator=(const SoundInput &) = delete;

  /// A stream on it, to be closed before this ends; null where libsndfile does not know the format.
  sf_private_tag *open(SF_INFO &info);
  const std::string &name() const { return name_; }
  /// Bytes that a WAV file ends before its header says. 0 for what may be streamed: standard input, pipes,
  /// and the sizes that encoders write while they do not know better.
  uint64_t n_missing_bytes() const;

private:
  void read_pipe();
  size_t read_at(uint64_t offset, std::span<std::byte> to) const;
  uint64_t size() const;
  std::string name_;
  int fd_ = -1; // of a regular file; else the sound is in memory_
  bool streamed_ = false;
  std::vector<std::byte> piped_;
  std::span<const std::byte> memory_;
  long long position_ = 0; // in memory_
  friend struct MemoryCallbacks;
};

} // namespace fovea
