// Normalizer: what is done to text before it is split: a list of steps (docs/format.md,
// `fovea.tokenizer.normalizer`).
//
// Immutable; any number of threads. Throws: Error InvalidFile from the constructor for steps that are unknown
// or malformed, from apply() for a pattern that fails on the text and for steps that make it far longer.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

namespace fovea {

struct TokenizerData;

/// A text that goes through the steps. `at_start`: its first character is the first of the text that the user
/// gave. `max_bytes`: see text/growth.h; a step may stop once its text is longer, which is refused then.
struct NormalText {
  std::string text;
  bool at_start;
  uint64_t max_bytes;
};

class Normalizer {
public:
  explicit Normalizer(const TokenizerData &data);
  bool empty() const { return steps_.empty(); }
  /// `text` is valid UTF-8.
  void apply(NormalText &text) const;

private:
  std::string where_;
  std::vector<std::function<void(NormalText &)>> steps_;
};

} // namespace fovea
