// Removes the spaces that splitting into words put before English punctuation: "don ' t ." Pure functions;
// nothing throws but std::bad_alloc.
#pragma once

#include <string>
#include <string_view>

namespace fovea {

/// As the reference library's decoders do with each token.
void clean_up_token(std::string &token);
/// As the reference implementation does with a whole text (`clean_up_tokenization_spaces`).
void clean_up_text(std::string &text);
/// How much of `text` clean_up_text() changes alike whatever follows; for its first `seen` bytes it was
/// nothing.
size_t clean_up_boundary(std::string_view text, size_t seen);

} // namespace fovea
