// Tokenizer: text <-> token ids, equal to the reference implementation's (Hugging Face tokenizers 0.23).
//
//   text -> added tokens are cut out -> normalizer -> pre-tokenizer -> model -> template -> ids
//   ids -> token texts -> decoder -> text
//
// Owns: the vocabulary and everything built from it. Thread-safety: immutable; all of it may be used from any
// number of threads. Throws Error: InvalidFile from the constructor (an empty vocabulary, lists of different
// length, ids outside the vocabulary, unknown or malformed steps, merges without tokens, invalid patterns),
// and from encode() and decode() for a file whose steps make a text far longer or whose pattern fails on it;
// InvalidArgument for an id outside the vocabulary and for text of 2 GiB or more.
//
// Defined for odd data, as in the reference: of tokens with the same text the smallest id is encoded and all
// decode; a character without a token, where there is no unknown token, is left out. Text that is not UTF-8,
// which the reference cannot hold: byte-level vocabularies encode it byte by byte, so that the tokens' bytes
// are exactly the text's; others read U+FFFD. Rejected: offsets into the text (no task needs them; they are
// half of the reference's code).
#pragma once

#include "text/tokenizer_data.h"

#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace fovea {

struct EncodeOptions {
  /// Puts the template's tokens around the text: "<s>", "[CLS] … [SEP]".
  bool add_special = true;
  /// Special tokens written in the text become their ids (for prompts that we write); otherwise they are
  /// ordinary characters (for text that users write).
  bool allow_special = false;
};

struct EncodedText {
  std::vector<int32_t> ids;
  std::vector<int32_t> types; // as many: 0 for the first text, mostly 1 for the second
};

class Tokenizer {
public:
  explicit Tokenizer(TokenizerData data);
  Tokenizer(Tokenizer &&) noexcept;
  Tokenizer &operator=(Tokenizer &&) noexcept;
  ~Tokenizer();

  std::vector<int32_t> encode(std::string_view text, EncodeOptions options) const;
  /// With type ids; `second`: the other text of a pair.
  EncodedText encode_typed(std::string_view text, std::optional<std::string_view> second,
                           EncodeOptions options) const;

  /// The text of `ids`, always valid UTF-8: what is not becomes U+FFFD. For text as it comes: TokenStream.
  std::string decode(std::span<const int32_t> ids, bool skip_special) const;

  /// The bytes that a token stands for, without what its neighbours would change: not always whole code
  /// points.
  std::string token_bytes(int32_t id) const;
  /// A token as the vocabulary writes it.
  const std::string &token_text(int32_t id) const;

  /// The id of a token given as in TokenizerData::tokens, e.g. "<|endoftext|>".
  std::optional<int32_t> id_of(std::string_view token) const;

  TokenType type(int32_t id) const;
  const SpecialTokens &special() const;
  int32_t size() const;

private:
  friend class TokenStream;
  struct Parts;
  std::unique_ptr<const Parts> parts_;
};

} // namespace fovea
