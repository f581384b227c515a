// Unicode properties and normal forms as the reference tokenizers use them. Pure functions; nothing throws
// but std::bad_alloc. The data is libutf8proc's, except where the reference's own tables differ (unicode.cpp
// says where).
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace fovea {

/// The code point at `text[at]` of valid UTF-8; moves `at` behind it.
char32_t utf8_next(std::string_view text, size_t &at);
/// Bytes of the sequence that a valid lead byte starts.
constexpr size_t utf8_length(char lead) {
  const auto byte = uint8_t(lead);
  return byte < 0x80 ? 1 : byte < 0xE0 ? 2 : byte < 0xF0 ? 3 : 4;
}

bool is_white_space(char32_t c);       // White_Space
bool is_punctuation(char32_t c);       // ASCII punctuation and symbols, P*
bool is_numeric(char32_t c);           // Nd, Nl, No
bool is_other(char32_t c);             // Cc, Cf, Cs, Co
bool is_mark(char32_t c);              // Mn, Mc, Me
bool is_nonspacing_mark(char32_t c);   // Mn
bool is_word_character(char32_t c);    // Alphabetic, M, Nd, Pc, joiners: \w of UTS 18
bool is_ideograph_of_bert(char32_t c); // the blocks that get spaces around each character

/// The full lower-case mapping without context (İ becomes two code points).
void append_lower_case(std::string &out, char32_t c);

enum class NormalForm { C, D, KC, KD };
/// O(n log n) also for text of combining marks alone.
std::string normalize(std::string_view text, NormalForm form);

} // namespace fovea
