// Checksum: a fast 64-bit hash of a file's bytes, against damage (not against an adversary).
//
// Four lanes over 32-byte blocks, each step a bijection of its lane, so that any change confined to one word
// changes the result; about memory speed. Defined in docs/format.md. A plain value; one thread. Rejected:
// CRC-32 (32 bits are few for gigabytes, slow without instructions that not every phone has), a cryptographic
// hash (ten times slower; whoever can replace the weights can replace the hash).
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

namespace fovea {

class Checksum {
public:
  /// Appends bytes; the result does not depend on how they are cut into calls.
  void update(std::span<const std::byte> bytes);
  /// The hash of everything so far.
  uint64_t value() const;

private:
  static constexpr size_t kBlockBytes = 32;
  void blocks(const std::byte *bytes, size_t count);
  std::array<uint64_t, 4> lanes_ = {1, 2, 3, 4};
  std::array<std::byte, kBlockBytes> tail_{};
  uint64_t size_bytes_ = 0;
};

} // namespace fovea
