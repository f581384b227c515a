// The byte alphabet of GPT-2's vocabularies: each byte is written as one printable character, so that a token
// is a readable string. Bytes 33–126, 161–172 and 174–255 are their own code point; the other 68, in order,
// are U+0100 … (a space is "Ġ", a newline "Ċ"). Pure functions; nothing throws but std::bad_alloc.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace fovea {

/// The character that stands for `byte`, in UTF-8.
std::string byte_to_alphabet(uint8_t byte);

void append_byte_alphabet(std::string &out, uint8_t byte);

/// The bytes that `text` stands for; nothing when a character is not of the alphabet or `text` is not UTF-8.
std::optional<std::string> alphabet_to_bytes(std::string_view text);

} // namespace fovea
