// TokenMatcher: finds whole tokens (special or added ones) in text, the longest at each place.
//
// Owns: a sorted list of views of the tokens' texts, which must outlive it. Thread-safety: longest() may run
// on any number of threads. Nothing throws but std::bad_alloc. Rejected: a trie (more code and memory; the
// list is searched only where a token's first byte stands).
#pragma once

#include <bitset>
#include <cstdint>
#include <string_view>
#include <utility>
#include <vector>

namespace fovea {

class TokenMatcher {
public:
  /// Empty texts are ignored; of equal texts the smallest id counts.
  explicit TokenMatcher(std::vector<std::pair<std::string_view, int32_t>> tokens);

  struct Match {
    size_t length_bytes; // 0: none
    int32_t id;
  };
  /// The longest token that `text` has at `at`; `at < text.size()`.
  Match longest(std::string_view text, size_t at) const;

private:
  std::vector<std::pair<std::string_view, int32_t>> tokens_; // sorted by text, no text twice
  std::bitset<256> first_bytes_;
};

} // namespace fovea
