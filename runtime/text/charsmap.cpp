#include "text/charsmap.h"

#include "base/error.h"
#include "text/unicode.h"
#include "text/utf8.h"

#include <algorithm>
#include <cstring>
#include <utf8proc.h>

namespace fovea {
namespace {
constexpr size_t kMaxReplacementBytes = 256; // published maps have up to 33
constexpr size_t kMaxRuleBytes = 64;         // and replace up to 12
constexpr size_t kLongestCluster = 5;        // bytes: longer clusters are looked up character by character

// A unit of darts-clone: label and flags, the offset to the children, or a leaf's value.
constexpr uint32_t label(uint32_t unit) { return unit & 0x800000FFu; }
constexpr bool has_leaf(uint32_t unit) { return unit >> 8 & 1; }
constexpr uint32_t value(uint32_t unit) { return unit & 0x7FFFFFFFu; }
constexpr uint32_t offset(uint32_t unit) { return (unit >> 10) << ((unit & 0x200u) >> 6); }
} // namespace

Charsmap::Charsmap(std::string_view bytes, const std::string &source) {
  uint32_t trie_bytes = 0;
  if (bytes.size() >= 4) std::memcpy(&trie_bytes, bytes.data(), 4);
  if (bytes.size() < 4 || trie_bytes == 0 || trie_bytes % 4 != 0 || trie_bytes > bytes.size() - 4)
    fail(ErrorCode::InvalidFile, source, ": the precompiled charsmap of ", bytes.size(),
         " bytes is truncated");
  trie_.resize(trie_bytes / 4);
  std::memcpy(trie_.data(), bytes.data() + 4, trie_bytes);
  replacements_ = bytes.substr(4 + trie_bytes);
  for (size_t at = 0; at < replacements_.size();) {
    const size_t end = std::min(replacements_.find('\0', at), replacements_.size());
    if (end - at > kMaxReplacementBytes)
      fail(ErrorCode::InvalidFile, source, ": the precompiled charsmap has a replacement of ", end - at,
           " bytes, at most ", kMaxReplacementBytes, " allowed");
    at = end + 1;
  }
}

// The shortest (or longest) rule that `text` starts with.
std::optional<Charsmap::Rule> Charsmap::find(std::string_view text, bool longest) const {
  std::optional<Rule> found;
  size_t node = offset(trie_[0]);
  for (size_t i = 0; i < std::min(text.size(), kMaxRuleBytes); ++i) {
    const char c = text[i];
    if (c == 0) break;
    node ^= uint8_t(c);
    if (node >= trie_.size() || label(trie_[node]) != uint8_t(c)) break;
    const uint32_t unit = trie_[node];
    node ^= offset(unit);
    if (!has_leaf(unit)) continue;
    if (node >= trie_.size()) break;
    const size_t begin = value(trie_[node]);
    if (begin >= replacements_.size()) break;
    const size_t end = replacements_.find('\0', begin);
    found = {i + 1, std::string_view(replacements_)
                        .substr(begin, (end == std::string::npos ? replacements_.size() : end) - begin)};
    if (!longest) break;
  }
  return found;
}

std::string Charsmap::apply(std::string_view text, uint64_t max_bytes) const {
  std::string out;
  out.reserve(text.size());
  for (size_t begin = 0; begin < text.size() && out.size() <= max_bytes;) {
    // One grapheme cluster.
    size_t end = begin;
    auto before = utf8proc_int32_t(utf8_next(text, end));
    for (utf8proc_int32_t state = 0; end < text.size();) {
      size_t next = end;
      const auto c = utf8proc_int32_t(utf8_next(text, next));
      if (utf8proc_grapheme_break_stateful(before, c, &state)) break;
      before = c;
      end = next;
    }
    const std::string_view cluster = text.substr(begin, end - begin);
    if (const auto whole = cluster.size() <= kLongestCluster ? find(cluster, false) : std::nullopt) {
      out += whole->replacement;
    } else {
      for (size_t at = 0; at < cluster.size();) {
        const std::string_view character = cluster.substr(at, utf8_length(cluster[at]));
        const auto rule = find(character, false);
        out += rule ? rule->replacement : character;
        at += character.size();
      }
    }
    begin = end;
  }
  return utf8_replace_invalid(out); // replacements are a stranger's bytes
}

std::string Charsmap::apply_longest(std::string_view text, uint64_t max_bytes) const {
  std::string out;
  out.reserve(text.size());
  for (size_t at = 0; at < text.size() && out.size() <= max_bytes;) {
    const auto rule = find(text.substr(at), true);
    const size_t length = rule ? rule->length_bytes : utf8_length(text[at]);
    out += rule ? rule->replacement : text.substr(at, length);
    at += length;
  }
  return utf8_replace_invalid(out); // a rule may end within a character
}

} // namespace fovea
