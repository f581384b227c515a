// TokenTrie: a prefix tree of texts with ids, for finding tokens in text.
//
// Owns its nodes (12 bytes for each distinct prefix) and nothing of the texts. Thread-safety: immutable.
// Nothing throws but std::bad_alloc. Rejected: a double array (faster by little, and twice the code), binary
// search in the sorted texts (five times slower where every position is searched).
#pragma once

#include <array>
#include <cstdint>
#include <string_view>
#include <utility>
#include <vector>

namespace fovea {

class TokenTrie {
public:
  TokenTrie() : TokenTrie(std::vector<std::pair<std::string_view, int32_t>>()) {}
  /// Empty texts are ignored; of equal texts the first in the list counts.
  explicit TokenTrie(std::vector<std::pair<std::string_view, int32_t>> tokens);

  bool empty() const { return nodes_.empty(); }

  struct Match {
    size_t length_bytes; // 0: none
    int32_t id;
  };
  /// The longest token that `text` has at `at`; `at < text.size()`.
  Match longest(std::string_view text, size_t at) const {
    Match best{0, -1};
    each(text, at, [&](size_t length, int32_t id) { best = {length, id}; });
    return best;
  }
  /// Calls use(length_bytes, id) for every token that `text` has at `at`, the shortest first.
  template <class Use> void each(std::string_view text, size_t at, Use use) const {
    uint32_t node = roots_[uint8_t(text[at])];
    for (size_t end = at + 1; node != kNone; ++end) {
      if (nodes_[node].id >= 0) use(end - at, nodes_[node].id);
      if (end == text.size()) return;
      node = child(node, uint8_t(text[end]));
    }
  }

private:
  static constexpr uint32_t kNone = UINT32_MAX;
  struct Node {
    int32_t id = -1;          // of the token that ends here
    uint32_t first_child = 0; // children lie together, by byte
    uint16_t n_children = 0;
    uint8_t byte = 0;
  };
  uint32_t child(uint32_t node, uint8_t byte) const {
    uint32_t low = nodes_[node].first_child, high = low + nodes_[node].n_children;
    while (low < high) {
      const uint32_t middle = (low + high) / 2;
      if (nodes_[middle].byte == byte) return middle;
      if (nodes_[middle].byte < byte)
        low = middle + 1;
      else
        high = middle;
    }
    return kNone;
  }
  std::vector<Node> nodes_;
  std::array<uint32_t, 256> roots_;
};

} // namespace fovea
