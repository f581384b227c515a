// Charsmap: SentencePiece's compiled normalization rules: a double-array trie (Aoe 1989; darts-clone's units)
// from character sequences to their replacements.
//
// Owns a copy of the map. Immutable; any number of threads. Throws Error InvalidFile for a map that is
// truncated or whose trie leaves it. Applied as the reference does: to each grapheme cluster of less than six
// bytes, taking the shortest rule that it starts with for all of it, and else to each character.
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
  std::string apply(std::string_view text) const;

private:
  std::optional<std::string_view> find(std::string_view sequence) const;
  std::vector<uint32_t> trie_;
  std::string replacements_;
};

} // namespace fovea
