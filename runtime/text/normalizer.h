// Normalizer: what is done to text before it is split: a list of steps (docs/format.md,
// `fovea.tokenizer.normalizer`).
//
// Immutable; any number of threads. Throws Error InvalidFile from the constructor for steps that are unknown
// or malformed.
#pragma once

#include <functional>
#include <string>
#include <vector>

namespace fovea {

struct TokenizerData;

/// A text that goes through the steps. `at_start`: its first character is the first of the text that the user
/// gave.
struct NormalText {
  std::string text;
  bool at_start;
};

class Normalizer {
public:
  explicit Normalizer(const TokenizerData &data);
  bool empty() const { return steps_.empty(); }
  /// `text` is valid UTF-8.
  void apply(NormalText &text) const {
    for (const auto &step : steps_) step(text);
  }

private:
  std::vector<std::function<void(NormalText &)>> steps_;
};

} // namespace fovea
