// Bytes of workgroup memory that a SPIR-V module declares, its specialization constants folded
// (vk/specialize.h): what maxComputeSharedMemorySize limits. Arrays of scalars and vectors; anything else
// fails the test.
#pragma once

#include <cstdint>
#include <doctest/doctest.h>
#include <map>
#include <span>

namespace fovea::test {

inline uint64_t workgroup_memory_bytes(std::span<const uint32_t> words) {
  enum Op : uint32_t {
    Int = 21,
    Float = 22,
    Vector = 23,
    Array = 28,
    Pointer = 32,
    Constant = 43,
    Variable = 59
  };
  constexpr uint32_t kWorkgroup = 4, kHeaderWords = 5;
  std::map<uint32_t, uint64_t> bytes, constants; // by id
  std::map<uint32_t, uint32_t> pointee;
  uint64_t total = 0;
  for (size_t at = kHeaderWords; at < words.size();) {
    const uint32_t *w = &words[at];
    const uint32_t n_words = w[0] >> 16;
    REQUIRE(n_words > 0);
    switch (w[0] & 0xffff) {
    case Int:
    case Float: bytes[w[1]] = w[2] / 8; break;
    case Vector: bytes[w[1]] = bytes[w[2]] * w[3]; break;
    case Array:
      if (constants.count(w[3])) bytes[w[1]] = bytes[w[2]] * constants[w[3]];
      break;
    case Pointer: pointee[w[1]] = w[3]; break;
    case Constant: constants[w[2]] = w[3]; break;
    case Variable:
      if (w[3] != kWorkgroup) break;
      REQUIRE(bytes[pointee[w[1]]] > 0);
      total += bytes[pointee[w[1]]];
      break;
    default: break;
    }
    at += n_words;
  }
  return total;
}

} // namespace fovea::test
