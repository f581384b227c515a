// WordPiece (Schuster and Nakajima 2012, as BERT uses it): the longest token that starts a word, then the
// longest continuation of it, and so on; a word that cannot be finished is unknown as a whole.
#include "text/token_model.h"
#include "text/token_trie.h"
#include "text/unicode.h"
#include "text/utf8.h"

namespace fovea {
namespace {
class WordPiece final : public TokenModel {
public:
  WordPiece(const TokenizerData &data, const IdOfText &ids) : TokenModel(data, ids) {
    std::vector<std::pair<std::string_view, int32_t>> starts(ids.begin(), ids.end()), continuations;
    for (const auto &[text, id] : starts)
      if (text.starts_with(data.continuation_prefix))
        continuations.emplace_back(text.substr(data.continuation_prefix.size()), id);
    starts_ = TokenTrie(std::move(starts));
    continuations_ = TokenTrie(std::move(continuations));
  }

  void encode(std::string_view piece, bool allow_special, TokenModelScratch &,
              std::vector<int32_t> &ids) const override {
    const size_t n_before = ids.size();
    bool known = utf8_count(piece) <= data_.max_word_characters;
    for (size_t at = 0; known && at < piece.size();) {
      TokenTrie::Match best{0, -1};
      (at == 0 ? starts_ : continuations_).each(piece, at, [&](size_t length, int32_t id) {
        if (allowed(id, allow_special)) best = {length, id};
      });
      ids.push_back(best.id);
      at += best.length_bytes;
      known = best.id >= 0;
    }
    if (known) return;
    ids.resize(n_before);
    if (data_.unknown >= 0) ids.push_back(data_.unknown);
  }

private:
  TokenTrie starts_, continuations_;
};
} // namespace

std::unique_ptr<const TokenModel> make_word_piece(const TokenizerData &data, const IdOfText &ids) {
  return std::make_unique<WordPiece>(data, ids);
}

} // namespace fovea
