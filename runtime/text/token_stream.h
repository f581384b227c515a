// TokenStream: token ids in, text out as soon as it is certain, for text that is generated token by token.
//
// One thread. The tokenizer must outlive it. All results together, finish() last, are Tokenizer::decode() of
// all ids together; the one exception is a run of byte tokens that is not UTF-8, of which decode() (as the
// reference) gives one U+FFFD per byte, while here the characters that were complete before have already been
// given. Throws as Tokenizer::decode().
#pragma once

#include "text/tokenizer.h"

namespace fovea {

class DecodePipeline;

class TokenStream {
public:
  TokenStream(const Tokenizer &tokenizer, bool skip_special);
  TokenStream(TokenStream &&) noexcept;
  TokenStream &operator=(TokenStream &&) noexcept;
  ~TokenStream();

  /// Takes the next token; returns what is now certain: whole code points, often nothing.
  std::string push(int32_t id);
  /// The end: the rest. The stream is as new afterwards.
  std::string finish();

private:
  const Tokenizer *tokenizer_;
  bool skip_special_;
  std::unique_ptr<DecodePipeline> pipeline_;
};

} // namespace fovea
