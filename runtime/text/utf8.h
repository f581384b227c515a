// UTF-8 checking: where well-formed sequences end, and text that is safe to print.
//
// Invalid bytes become U+FFFD by the Unicode standard's "maximal subpart" rule, as Python's errors="replace"
// and Rust's from_utf8_lossy do: one mark per longest prefix of a well-formed sequence, one per stray byte.
// Thread-safety: the functions are pure, a Utf8Stream belongs to one thread. Nothing throws but
// std::bad_alloc. Rejected: libutf8proc (it has no maximal-subpart rule and no incremental mode; we need no
// normalization here).
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace fovea {

struct Utf8Unit {
  enum Kind : uint8_t {
    Valid,   // a code point
    Invalid, // a maximal subpart: stands for one U+FFFD
    Cut      // well-formed so far, but the text ends here
  };
  Kind kind;
  uint8_t length; // bytes, 1 … 4
};

/// What starts at `text[at]`; `at < text.size()`.
Utf8Unit utf8_unit(std::string_view text, size_t at);

bool is_utf8(std::string_view text);

/// The same text with every invalid or cut sequence replaced by U+FFFD.
std::string utf8_replace_invalid(std::string_view text);

/// Code points of valid UTF-8.
size_t utf8_count(std::string_view text);

/// Appends a code point (<= 0x10FFFF, no surrogate) to `out`.
void utf8_append(std::string &out, char32_t code_point);

/// Bytes in, whole code points out: token by token decoding splits code points between tokens.
/// The concatenation of all results, finish() last, is utf8_replace_invalid() of all bytes together.
class Utf8Stream {
public:
  /// Takes `bytes`; returns what is now complete. At most 3 bytes stay held back.
  std::string push(std::string_view bytes);
  /// The end: a held-back, incomplete sequence becomes U+FFFD. The stream is as new afterwards.
  std::string finish();

private:
  std::string held_;
};

} // namespace fovea
