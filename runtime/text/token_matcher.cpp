#include "text/token_matcher.h"

#include <algorithm>

namespace fovea {

TokenMatcher::TokenMatcher(std::vector<std::pair<std::string_view, int32_t>> tokens)
    : tokens_(std::move(tokens)) {
  std::erase_if(tokens_, [](const auto &token) { return token.first.empty(); });
  std::sort(tokens_.begin(), tokens_.end());
  const auto same_text = [](const auto &a, const auto &b) { return a.first == b.first; };
  tokens_.erase(std::unique(tokens_.begin(), tokens_.end(), same_text), tokens_.end());
  for (const auto &[text, id] : tokens_) first_bytes_.set(uint8_t(text[0]));
}

TokenMatcher::Match TokenMatcher::longest(std::string_view text, size_t at) const {
  Match best{0, -1};
  if (!first_bytes_[uint8_t(text[at])]) return best;
  // [low, high): the tokens that begin with the `depth` bytes at `at`. The one that is no longer than that
  // comes first.
  auto low = tokens_.begin(), high = tokens_.end();
  for (size_t depth = 0; low != high; ++depth) {
    if (low->first.size() == depth) {
      best = {depth, low->second};
      if (++low == high) break;
    }
    if (at + depth == text.size()) break;
    const auto byte = uint8_t(text[at + depth]);
    const auto byte_of = [depth](const auto &token) { return uint8_t(token.first[depth]); };
    low = std::partition_point(low, high, [&](const auto &token) { return byte_of(token) < byte; });
    high = std::partition_point(low, high, [&](const auto &token) { return byte_of(token) == byte; });
  }
  return best;
}

} // namespace fovea
