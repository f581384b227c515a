// Tokenizer: byte-level BPE, text <-> token ids, as the vocabularies of GPT-2, Whisper and their descendants
// need it.
//
// Owns: the vocabulary and everything built from it. Thread-safety: immutable; all of it may be used from any
// number of threads. Throws Error: InvalidFile from the constructor (empty vocabulary, types and tokens of
// different number, a merge that is malformed or names a token that is not there, an invalid pattern),
// InvalidArgument for an id outside the vocabulary and for text of 2 GiB or more.
//
// Defined for odd data, as in the reference implementations: of tokens with the same text the smallest id is
// encoded and all decode; a token text outside the byte alphabet stands for its own UTF-8; bytes that have no
// token are left out; text that is not UTF-8 is encoded byte by byte, so that the tokens' bytes are exactly
// the text's. Rejected: Unicode normalization and word-level schemes here; they are other tokenizers, not
// options of this one.
#pragma once

#include "text/byte_pairs.h"
#include "text/pretokenizer.h"
#include "text/token_matcher.h"
#include "text/tokenizer_data.h"

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace fovea {

class Tokenizer {
public:
  explicit Tokenizer(TokenizerData data);
  Tokenizer(Tokenizer &&) =
      default; // no copies: its parts view strings of its vectors, which only a move keeps
  Tokenizer &operator=(Tokenizer &&) = default;

  /// The ids of `text`; nothing is put before or after. `allow_special`: special tokens written in the text
  /// become their ids (for prompts that we write); otherwise they are ordinary characters (for text that
  /// users write).
  std::vector<int32_t> encode(std::string_view text, bool allow_special) const;

  /// The text of `ids`, always valid UTF-8: what is not becomes U+FFFD. For text as it comes, token_bytes()
  /// of each id through a Utf8Stream gives the same.
  std::string decode(std::span<const int32_t> ids, bool skip_special) const;

  /// The bytes that a token stands for: not always whole code points.
  std::string token_bytes(int32_t id) const;

  /// The id of a token given as in TokenizerData::tokens, e.g. "<|endoftext|>".
  std::optional<int32_t> id_of(std::string_view token) const;

  TokenType type(int32_t id) const;
  int32_t size() const { return int32_t(data_.tokens.size()); }

private:
  void check_id(int32_t id) const;
  void encode_plain(std::string_view text, BytePairs::Scratch &scratch, std::vector<int32_t> &ids) const;
  TokenMatcher matcher(bool with_special) const;

  TokenizerData data_;
  std::vector<std::string> bytes_; // by id
  std::unordered_map<std::string_view, int32_t> ids_;
  TokenMatcher added_, added_or_special_;
  Pretokenizer pretokenizer_;
  BytePairs pairs_;
};

} // namespace fovea
