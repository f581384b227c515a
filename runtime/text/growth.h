// How much longer the steps of a tokenizer may make a text. Published ones write a space as three bytes, a
// byte as two (the byte alphabet), a ligature as eleven times its length (NFKC). Steps that each do so again
// and again need a file of a kilobyte to fill any memory.
#pragma once

#include "base/error.h"

#include <cstdint>
#include <string>

namespace fovea {

constexpr uint64_t kMaxGrowth = 64;

/// Bytes that a text of `bytes` may have on its way through all steps; short ones may have marks put before
/// them.
constexpr uint64_t max_grown_bytes(uint64_t bytes) { return (bytes + 16) * kMaxGrowth; }

/// Throws Error InvalidFile if `bytes` are more than allowed. `where`: the file and its list of steps.
inline void check_growth(uint64_t bytes, uint64_t max_bytes, const std::string &where) {
  if (bytes > max_bytes)
    fail(ErrorCode::InvalidFile, where, ": the steps make a text more than ", kMaxGrowth, " times as long");
}

} // namespace fovea
