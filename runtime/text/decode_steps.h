// The steps that a DecodePipeline is made of: each gives a function that makes the step in front of the next.
//
// Thread-safety: the functions are pure; what they give may be called from any thread, a step used by one.
// Behaviour: the decoders of Hugging Face tokenizers, as text arrives instead of over a whole list.
#pragma once

#include "text/pattern.h"

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

namespace fovea {

/// What a step gives its texts to: the next step, or the result. A token's text may come in parts, each of
/// whole characters.
class TokenSink {
public:
  virtual ~TokenSink() = default;
  virtual void text(std::string_view part) = 0;
  virtual void end_token() {}
  virtual void finish() {}
};

/// Makes one step of the pipeline, in front of `next`. `eager`: see TokenStream.
using MakeDecodeStep = std::function<std::unique_ptr<TokenSink>(TokenSink &next, bool eager)>;

/// Changes a token in place, given its number; false: it is left out.
using ChangeToken = std::function<bool(std::string &token, size_t number)>;
MakeDecodeStep whole_tokens(ChangeToken change);
/// All tokens' bytes are one text.
MakeDecodeStep byte_level();
/// Tokens <0x00> … in a row are one text, if it is UTF-8, and else one U+FFFD each.
MakeDecodeStep byte_fallback();
/// All tokens become one.
MakeDecodeStep fuse();
/// Takes up to `left` and `right` characters `mark` from the ends of each token.
MakeDecodeStep strip(std::string mark, uint32_t left, uint32_t right);
/// A literal text becomes another, within each token. `from` is not empty.
MakeDecodeStep replace_text(std::string from, std::string to);
/// What the pattern finds becomes another text, within each token.
MakeDecodeStep replace_matches(Pattern pattern, std::string to);
/// A space between tokens, where there is no decoder.
MakeDecodeStep join();
/// BPE with a suffix at the ends of words, which is a space but at the end.
MakeDecodeStep word_suffix(std::string suffix);
/// CTC: equal neighbours are one; the blank token is nothing.
MakeDecodeStep ctc(std::string blank, std::string delimiter, bool clean);
/// English punctuation without the spaces before it, over the whole text.
MakeDecodeStep clean_up();

/// The byte that a token <0x0A> stands for; -1: none.
int byte_of_token(std::string_view token);

void replace_all(std::string &text, std::string_view from, std::string_view to);

} // namespace fovea
