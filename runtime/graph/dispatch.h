// Dispatch: one kernel launch as plain data. No GPU, no thread-safety concerns; nothing throws.
#pragma once

#include "kernels/choice.h"

#include <array>
#include <cstring>
#include <string>
#include <vector>

namespace fovea {

/// Which memory a binding points into; each has its own lifetime (docs/architecture.md).
enum class Space : uint8_t {
  Weights, // the file's bytes; offsets are file offsets
  State,   // persists in the Session
  Scratch, // one arena, reused within a run; holds outputs until they are read back
  Input,   // host-written before a run
};
const char *to_string(Space space);

enum class Access : uint8_t { Read, Write, ReadWrite };

/// A byte range bound to one slot. `offset` is a multiple of the device's storage offset
/// alignment.
struct Binding {
  uint32_t slot = 0; // as the shader declares it
  Space space = Space::Scratch;
  uint64_t offset = 0, bytes = 0;
  Access access = Access::Read;
  friend bool operator==(const Binding &, const Binding &) = default;
};

/// Push constants as 32-bit words, from any generated params struct.
template <class Params> std::vector<uint32_t> push_words(const Params &params) {
  static_assert(sizeof(Params) % 4 == 0 && sizeof(Params) <= 128);
  std::vector<uint32_t> words(sizeof(Params) / 4);
  std::memcpy(words.data(), &params, sizeof(Params));
  return words;
}

struct Dispatch {
  KernelId kernel{};
  std::vector<uint32_t> spec; // specialization constants 0, 1, …; 0 is the workgroup size
  std::vector<Binding> bindings;
  std::vector<uint32_t> push;
  std::array<uint32_t, 3> groups = {1, 1, 1};
  uint64_t flops = 0;          // arithmetic it must do
  uint64_t bytes = 0;          // that it reads and writes, where bindings do not say; 0: they do
  uint32_t n_pieces = 1;       // its grid is launched in so many parts (graph/pieces.h)
  uint32_t statement = 0;      // index into the graph's statements
  bool barrier_before = false; // set by the planner from hazards
  /// The byte ranges it reads and writes: the bindings, but for the gap in one that joins two ranges.
  std::vector<Binding> touched;
  // As in KernelChoice: what else could do the same.
  std::array<uint32_t, 2> tile = {0, 0};
  ChoiceKey key{};
  std::vector<VariantId> among{};
  VariantId variant() const { return {kernel, tile}; }
};

} // namespace fovea
