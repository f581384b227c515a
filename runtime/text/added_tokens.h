// AddedTokens: cuts the tokens that were added to a vocabulary as a whole out of text, before the model sees
// it.
//
// Two sets: those looked for in the text as it is, and those looked for in normalized text (and normalized
// themselves). Immutable; any number of threads. The texts of data.tokens must outlive it.
#pragma once

#include "text/normalizer.h"
#include "text/token_trie.h"
#include "text/tokenizer_data.h"

namespace fovea {

class AddedTokens {
public:
  /// A token, or (id -1) the text between two.
  struct Part {
    size_t begin, end;
    int32_t id;
  };

  AddedTokens(const TokenizerData &data, const Normalizer &normalizer);
  /// Appends the parts of `text`, which together are all of it. The longest token at the first place wins.
  /// `allow_special`: special tokens count too.
  void find(std::string_view text, bool normalized, bool allow_special, std::vector<Part> &parts) const;
  bool empty(bool normalized) const { return (normalized ? after_ : before_).empty(); }

private:
  const TokenizerData &data_;
  std::vector<AddedToken> flags_;         // by token, sorted by id: of the others all are off
  std::vector<std::string> normal_texts_; // what after_ was made of
  TokenTrie before_, after_;
};

} // namespace fovea
