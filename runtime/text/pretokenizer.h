// Pretokenizer: splits normalized text into the pieces that the model encodes apart: a list of steps
// (docs/format.md, `fovea.tokenizer.pre_tokenizer`), each of which splits pieces further or rewrites them.
//
// Immutable; any number of threads. Throws: Error InvalidFile from the constructor for steps that are unknown
// or malformed, from split() for a pattern that fails on the text and for steps that make it far longer.
#pragma once

#include "text/pattern.h"

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

namespace fovea {

struct TokenizerData;

/// Pieces of one text: ranges of `text`, in order, none empty.
struct Pieces {
  std::string text;
  std::vector<Span> spans; // `matched` is not used
  bool at_start;           // the first piece begins where the text that the user gave begins
};

class Pretokenizer {
public:
  explicit Pretokenizer(const TokenizerData &data);
  /// `text` is valid UTF-8. `max_bytes`: see text/growth.h.
  Pieces split(std::string text, bool at_start, uint64_t max_bytes) const;
  /// Whether pieces end up in the byte alphabet.
  bool is_byte_level() const { return byte_level_; }

private:
  std::string where_;
  std::vector<std::function<void(Pieces &)>> steps_;
  bool byte_level_ = false;
};

} // namespace fovea
