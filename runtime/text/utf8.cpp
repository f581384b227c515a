#include "text/utf8.h"

#include <algorithm>

namespace fovea {
namespace {
constexpr std::string_view kReplacement = "\xEF\xBF\xBD";

/// Appends `text` to `out` with U+FFFD for invalid units; returns where a cut sequence at the end starts.
size_t append_valid(std::string &out, std::string_view text) {
  size_t at = 0;
  while (at < text.size()) {
    const auto [kind, length] = utf8_unit(text, at);
    if (kind == Utf8Unit::Cut) return at;
    out += kind == Utf8Unit::Valid ? text.substr(at, length) : kReplacement;
    at += length;
  }
  return at;
}
} // namespace

Utf8Unit utf8_unit(std::string_view text, size_t at) {
  const auto lead = uint8_t(text[at]);
  if (lead < 0x80) return {Utf8Unit::Valid, 1};
  if (lead < 0xC2 || lead > 0xF4) return {Utf8Unit::Invalid, 1};
  const size_t length = lead < 0xE0 ? 2 : lead < 0xF0 ? 3 : 4;
  // The second byte's range rules out overlong forms, surrogates and code points past U+10FFFF (Unicode,
  // table 3-7).
  uint8_t low = 0x80, high = 0xBF;
  if (lead == 0xE0) low = 0xA0;
  if (lead == 0xED) high = 0x9F;
  if (lead == 0xF0) low = 0x90;
  if (lead == 0xF4) high = 0x8F;
  for (size_t i = 1; i < length; ++i) {
    if (at + i == text.size()) return {Utf8Unit::Cut, uint8_t(i)};
    const auto byte = uint8_t(text[at + i]);
    if (byte < low || byte > high) return {Utf8Unit::Invalid, uint8_t(i)};
    low = 0x80;
    high = 0xBF;
  }
  return {Utf8Unit::Valid, uint8_t(length)};
}

bool is_utf8(std::string_view text) {
  for (size_t at = 0; at < text.size();) {
    const auto [kind, length] = utf8_unit(text, at);
    if (kind != Utf8Unit::Valid) return false;
    at += length;
  }
  return true;
}

std::string utf8_replace_invalid(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  if (append_valid(out, text) < text.size()) out += kReplacement;
  return out;
}

size_t utf8_count(std::string_view text) {
  return size_t(std::count_if(text.begin(), text.end(), [](char c) { return (uint8_t(c) & 0xC0) != 0x80; }));
}

void utf8_append(std::string &out, char32_t c) {
  if (c < 0x80) {
    out += char(c);
  } else if (c < 0x800) {
    out += char(0xC0 | c >> 6);
    out += char(0x80 | (c & 0x3F));
  } else if (c < 0x10000) {
    out += char(0xE0 | c >> 12);
    out += char(0x80 | (c >> 6 & 0x3F));
    out += char(0x80 | (c & 0x3F));
  } else {
    out += char(0xF0 | c >> 18);
    out += char(0x80 | (c >> 12 & 0x3F));
    out += char(0x80 | (c >> 6 & 0x3F));
    out += char(0x80 | (c & 0x3F));
  }
}

std::string Utf8Stream::push(std::string_view bytes) {
  held_ += bytes;
  std::string out;
  held_.erase(0, append_valid(out, held_));
  return out;
}

std::string Utf8Stream::finish() {
  const bool cut = !held_.empty();
  held_.clear();
  return std::string(cut ? kReplacement : "");
}

} // namespace fovea
