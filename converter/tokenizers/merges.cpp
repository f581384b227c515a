#include "converter/tokenizers/merges.h"

#include "text/unicode.h"
#include "text/utf8.h"

#include <algorithm>
#include <string_view>
#include <unordered_map>

namespace fovea {
namespace {
constexpr size_t kMaxTokenBytes = 1024; // longer ones are no result of merging

struct Merge {
  float score;
  size_t left_characters, right_characters;
  std::string_view left, right;
};
} // namespace

std::vector<std::string> merges_from_scores(std::span<const std::string> tokens,
                                            std::span<const float> scores) {
  std::unordered_map<std::string_view, size_t> ids;
  for (size_t id = 0; id < tokens.size(); ++id) ids[tokens[id]] = id;
  std::vector<Merge> merges;
  for (size_t id = 0; id < tokens.size(); ++id) {
    const std::string_view token = tokens[id];
    if (token.size() > kMaxTokenBytes || !is_utf8(token)) continue;
    std::vector<std::pair<std::pair<size_t, size_t>, Merge>> halves;
    for (size_t at = 0, n = 1; at < token.size(); ++n) {
      at += utf8_length(token[at]);
      const auto left = ids.find(token.substr(0, at)), right = ids.find(token.substr(at));
      if (at < token.size() && left != ids.end() && right != ids.end())
        halves.push_back({{left->second, right->second},
                          {scores[id], n, utf8_count(right->first), left->first, right->first}});
    }
    std::stable_sort(halves.begin(), halves.end(),
                     [](const auto &a, const auto &b) { return a.first < b.first; });
    for (const auto &half : halves) merges.push_back(half.second);
  }
  std::stable_sort(merges.begin(), merges.end(), [](const Merge &a, const Merge &b) {
    if (a.score != b.score) return a.score > b.score;
    if (a.left_characters != b.left_characters) return a.left_characters > b.left_characters;
    return a.right_characters > b.right_characters;
  });
  std::vector<std::string> out;
  for (const Merge &merge : merges) out.push_back(std::string(merge.left).append(1, ' ').append(merge.right));
  return out;
}

} // namespace fovea
