// Varints, and repeated runs of bytes by reference (Lempel and Ziv 1977): what packed kernels are made of.
// Pure; thread-safe. Readers throw Internal on bytes that no writer made. Rejected: zlib over the modules
// (half as much again, and a library more for the core), entropy coding on top (a sixth less, for twice the
// code).
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace fovea {

using Bytes = std::span<const uint8_t>;

/// Little end first, seven bits a byte.
void put_varint(std::vector<uint8_t> &out, uint64_t value);

/// Reads from the front of bytes.
class ByteCursor {
public:
  explicit ByteCursor(Bytes bytes) : rest_(bytes) {}
  bool empty() const { return rest_.empty(); }
  uint8_t byte();
  uint64_t varint();
  Bytes take(size_t n);

private:
  Bytes rest_;
};

/// Runs that occur before, or in `dictionary`, are named rather than written.
std::vector<uint8_t> shorten(Bytes bytes, Bytes dictionary = {});
/// What was shortened, of `n_bytes`, with the same dictionary.
std::vector<uint8_t> lengthen(Bytes shortened, size_t n_bytes, Bytes dictionary = {});

} // namespace fovea
