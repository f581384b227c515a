// ByteReader: a cursor over a file's bytes that cannot leave them.
//
// Owns nothing: the bytes and the path must outlive it. One thread. Every read that would pass the end is an
// InvalidFile Error that names the path, what was being read and where. Values are little-endian, unaligned.
#pragma once

#include "base/error.h"

#include <bit>
#include <cstring>
#include <span>

namespace fovea {

static_assert(std::endian::native == std::endian::little, "Fovea's files and kernels are little-endian");

class ByteReader {
public:
  ByteReader(std::span<const std::byte> bytes, std::string_view path) : bytes_(bytes), path_(path) {}

  uint64_t position() const { return at_; }
  uint64_t remaining() const { return bytes_.size() - at_; }

  /// The next `n` bytes. `what` names them in the error.
  std::span<const std::byte> take(uint64_t n, std::string_view what) {
    if (n > remaining())
      fail(ErrorCode::InvalidFile, path_, ": truncated: ", what, " at byte ", at_, " needs ", n, " bytes, ",
           remaining(), " remain");
    const auto out = bytes_.subspan(at_, n);
    at_ += n;
    return out;
  }

  template <class T> T read(std::string_view what) {
    T value;
    std::memcpy(&value, take(sizeof value, what).data(), sizeof value);
    return value;
  }

  /// `n` bytes as text, of at most `max` bytes.
  std::string_view text(uint64_t n, uint64_t max, std::string_view what) {
    if (n > max)
      fail(ErrorCode::InvalidFile, path_, ": ", what, " at byte ", at_, " is ", n, " bytes long, at most ",
           max, " allowed");
    const auto bytes = take(n, what);
    return {reinterpret_cast<const char *>(bytes.data()), bytes.size()};
  }

private:
  std::span<const std::byte> bytes_;
  std::string_view path_;
  uint64_t at_ = 0;
};

} // namespace fovea
