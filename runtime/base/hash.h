// FNV-1a, 64 bits (Fowler, Noll, Vo). Guards against accidents, not against an attacker. Pure.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

namespace fovea {

inline constexpr uint64_t kHashSeed = 0xCBF29CE484222325ull;

inline uint64_t hash_bytes(std::span<const std::byte> bytes, uint64_t hash = kHashSeed) {
  for (const std::byte b : bytes) hash = (hash ^ uint64_t(b)) * 0x100000001B3ull;
  return hash;
}

template <class T> uint64_t hash_value(const T &value, uint64_t hash) {
  return hash_bytes(std::as_bytes(std::span(&value, 1)), hash);
}

} // namespace fovea
