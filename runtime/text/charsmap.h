// Charsmap: SentencePiece's compiled normalization rules: a double-array trie (Aoe 1989; darts-clone's units)
// from character sequences to their replacements.
//
// Owns a copy of the map. Immutable; any number of threads. Throws Error InvalidFile for a map that is
// truncated. Rejected: a map of strings (the trie is 200 KB and ready to use).
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace fovea {

class Charsmap {
public:
  /// `bytes`: the trie's size in bytes (u32), the trie, the replacements, each ended by a zero.
  Charsmap(std::string_view bytes, const std::string &source);
  /// Both stop once their result is longer than `max_bytes`.
  /// As the reference library does: to each grapheme cluster of less than six bytes, taking the shortest rule
  /// that it starts with for all of it, and else to each character.
  std::string apply(std::string_view text, uint64_t max_bytes) const;
  /// As SentencePiece itself does: the longest rule at each place.
  std::string apply_longest(std::string_view text, uint64_t max_bytes) const;

private:
  struct Rule {
    size_t length_bytes; // of what is replaced
    std::string_view replacement;
  };
  std::optional<Rule> find(std::string_view text, bool longest) const;
  std::vector<uint32_t> trie_;
  std::string replacements_;
};

} // namespace fovea
