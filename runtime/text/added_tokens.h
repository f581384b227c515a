// AddedTokens: cuts the tokens that were added to a vocabulary as a whole out of text, before the model sees
// it.
//
// Two sets: those looked for in the text as it is, and those looked for in normalized text (and normalized
// themselves). Immutable; any number of threads. The texts of data.tokens must outlive it.
#pragma once

#include "text/normalizer.h"
#include "text/token_trie.h"
#include "text/tokenizer_data.h"

#include <algorithm>

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
  /// The text of a token that is normalized: what it is decoded to, as in the reference. nullptr: not one of
  /// those.
  const std::string *normal_text(int32_t id) const {
    const auto found = std::lower_bound(normal_ids_.begin(), normal_ids_.end(), id);
    return found == normal_ids_.end() || *found != id ? nullptr
                                                      : &normal_texts_[size_t(found - normal_ids_.begin())];
  }
  bool empty(bool normalized) const { return (normalized ? after_ : before_).empty(); }

private:
  const TokenizerData &data_;
  std::vector<AddedToken> flags_;         // by token, sorted by id: of the others all are off
  std::vector<int32_t> normal_ids_;       // sorted
  std::vector<std::string> normal_texts_; // of these: what after_ was made of
  TokenTrie before_, after_;
};

} // namespace fovea
