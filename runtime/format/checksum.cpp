#include "format/checksum.h"

#include <algorithm>
#include <cstring>

namespace fovea {
namespace {

uint64_t mix(uint64_t lane, uint64_t word) {
  lane = (lane ^ word) * 0x9E3779B97F4A7C15u; // odd: a bijection
  return lane ^ (lane >> 32);
}

} // namespace

void Checksum::blocks(const std::byte *bytes, size_t count) {
  // In registers: `bytes` might alias the members, and -O2 does not unroll. Four times as fast.
  auto [a, b, c, d] = lanes_;
  for (; count-- > 0; bytes += kBlockBytes) {
    uint64_t words[4];
    std::memcpy(words, bytes, sizeof words);
    a = mix(a, words[0]);
    b = mix(b, words[1]);
    c = mix(c, words[2]);
    d = mix(d, words[3]);
  }
  lanes_ = {a, b, c, d};
}

void Checksum::update(std::span<const std::byte> bytes) {
  if (bytes.empty()) return;
  const size_t n_tail = size_bytes_ % tail_.size();
  size_bytes_ += bytes.size();
  if (n_tail > 0) {
    const size_t n = std::min(tail_.size() - n_tail, bytes.size());
    std::memcpy(tail_.data() + n_tail, bytes.data(), n);
    bytes = bytes.subspan(n);
    if (n_tail + n < tail_.size()) return;
    blocks(tail_.data(), 1);
  }
  const size_t n_blocks = bytes.size() / kBlockBytes;
  blocks(bytes.data(), n_blocks);
  bytes = bytes.subspan(n_blocks * kBlockBytes);
  if (!bytes.empty()) std::memcpy(tail_.data(), bytes.data(), bytes.size());
}

uint64_t Checksum::value() const {
  Checksum last = *this;
  const size_t n_tail = size_bytes_ % tail_.size();
  if (n_tail > 0) {
    std::memset(last.tail_.data() + n_tail, 0, tail_.size() - n_tail);
    last.blocks(last.tail_.data(), 1);
  }
  uint64_t hash = size_bytes_;
  for (const uint64_t lane : last.lanes_) hash = mix(hash, lane);
  return hash;
}

} // namespace fovea
