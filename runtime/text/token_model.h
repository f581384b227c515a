// TokenModel: the part of a tokenizer that turns one piece of text into token ids. One file each: byte_pairs,
// unigram, word_piece, word_level.
//
// Immutable; any number of threads, each with its own Scratch. Constructors throw Error InvalidFile.
#pragma once

#include "text/tokenizer_data.h"

#include <memory>
#include <string_view>
#include <unordered_map>

namespace fovea {

/// Tokens of the model by text; of equal texts the smallest id (Unigram: the largest).
using IdOfText = std::unordered_map<std::string_view, int32_t>;

/// Working memory, kept between calls by its user.
struct TokenModelScratch {
  struct Symbol {
    int32_t id;     // -1: merged into the symbol before
    uint32_t end;   // where the next symbol starts
    uint32_t prev;  // where the symbol before starts
    uint32_t begin; // byte offset
  };
  struct Candidate {
    uint32_t rank, start, middle, end; // the symbols [start, middle) and [middle, end)
    int32_t id;                        // of the token they merge into
  };
  struct Node {
    double score;
    int32_t id;
    uint32_t begin; // byte offset; UINT32_MAX: not reached
  };
  std::vector<Symbol> symbols;
  std::vector<Candidate> heap;
  std::vector<Node> nodes;
  std::string text;
};

class TokenModel {
public:
  TokenModel(const TokenizerData &data, const IdOfText &ids) : data_(data), ids_(ids) {}
  virtual ~TokenModel() = default;
  /// Appends the ids of `piece`: valid UTF-8, not empty, < 4 GiB. `allow_special`: special tokens may come
  /// out.
  virtual void encode(std::string_view piece, bool allow_special, TokenModelScratch &scratch,
                      std::vector<int32_t> &ids) const = 0;

protected:
  /// -1: none, or a special token where those are not allowed.
  int32_t find(std::string_view text, bool allow_special = true) const {
    const auto found = ids_.find(text);
    return found != ids_.end() && allowed(found->second, allow_special) ? found->second : -1;
  }
  bool allowed(int32_t id, bool allow_special) const {
    return allow_special || data_.types.empty() || data_.types[size_t(id)] != TokenType::Special;
  }
  const TokenizerData &data_;
  const IdOfText &ids_;
};

/// `data` and the texts in `ids` must outlive the model.
std::unique_ptr<const TokenModel> make_byte_pairs(const TokenizerData &data, const IdOfText &ids);
std::unique_ptr<const TokenModel> make_unigram(const TokenizerData &data, const IdOfText &ids);
std::unique_ptr<const TokenModel> make_word_piece(const TokenizerData &data, const IdOfText &ids);
std::unique_ptr<const TokenModel> make_word_level(const TokenizerData &data, const IdOfText &ids);

/// The tokens <0x00> … <0xFF>; -1 where the vocabulary has none.
std::vector<int32_t> byte_token_ids(const IdOfText &ids);

} // namespace fovea
