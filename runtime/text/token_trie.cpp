#include "text/token_trie.h"

#include <algorithm>

namespace fovea {

TokenTrie::TokenTrie(std::vector<std::pair<std::string_view, int32_t>> tokens) {
  roots_.fill(kNone);
  const auto by_text = [](const auto &a, const auto &b) { return a.first < b.first; };
  const auto same_text = [](const auto &a, const auto &b) { return a.first == b.first; };
  std::erase_if(tokens, [](const auto &token) { return token.first.empty(); });
  std::stable_sort(tokens.begin(), tokens.end(), by_text);
  tokens.erase(std::unique(tokens.begin(), tokens.end(), same_text), tokens.end());

  // Level by level: a node stands for the tokens [begin, end), which share their first `depth` bytes.
  struct Range {
    size_t begin, end, depth;
  };
  std::vector<Range> ranges; // by node
  const auto add_children = [&](Range parent) {
    for (size_t at = parent.begin; at < parent.end;) {
      const auto byte = uint8_t(tokens[at].first[parent.depth]);
      size_t end = at;
      while (end < parent.end && uint8_t(tokens[end].first[parent.depth]) == byte) ++end;
      Node node;
      node.byte = byte;
      ranges.push_back({at, end, parent.depth + 1});
      if (tokens[at].first.size() == parent.depth + 1) {
        node.id = tokens[at].second;
        ++ranges.back().begin;
      }
      nodes_.push_back(node);
      at = end;
    }
  };
  add_children({0, tokens.size(), 0});
  for (uint32_t i = 0; i < nodes_.size(); ++i) roots_[nodes_[i].byte] = i;
  for (size_t i = 0; i < nodes_.size(); ++i) {
    nodes_[i].first_child = uint32_t(nodes_.size());
    add_children(ranges[i]);
    nodes_[i].n_children = uint16_t(nodes_.size() - nodes_[i].first_child);
  }
}

} // namespace fovea
