#include "tasks/generation_rules.h"

#include <algorithm>

namespace fovea {

bool TokenChoice::allows(int32_t token) const {
  if (!forced.empty()) return std::find(forced.begin(), forced.end(), token) != forced.end();
  return !std::binary_search(banned.begin(), banned.end(), token);
}

GenerationRules::GenerationRules(GenerationSettings settings) : settings_(std::move(settings)) {
  // A bad word that is an end token would leave sequences without an end.
  std::erase_if(settings_.bad_words, [&](const std::vector<int32_t> &word) {
    return word.empty() || (word.size() == 1 && is_end(word[0]));
  });
}

bool GenerationRules::is_end(int32_t token) const {
  return std::find(settings_.end.begin(), settings_.end.end(), token) != settings_.end.end();
}

float GenerationRules::penalized(float score) const {
  return score < 0 ? score * settings_.repetition_penalty : score / settings_.repetition_penalty;
}

TokenChoice GenerationRules::after(std::span<const int32_t> tokens, uint32_t limit) const {
  const GenerationSettings &s = settings_;
  TokenChoice choice;
  if (tokens.size() + 1 == limit && !s.forced_last.empty()) {
    choice.forced = s.forced_last;
    return choice;
  }
  if (tokens.size() == 1 && s.forced_first) {
    choice.forced = {*s.forced_first};
    return choice;
  }
  std::vector<int32_t> &banned = choice.banned;
  ban_repeated(tokens, banned);
  ban_words(tokens, banned);
  if (s.min_new_tokens ? tokens.size() - 1 < s.min_new_tokens : tokens.size() < s.min_length)
    banned.insert(banned.end(), s.end.begin(), s.end.end());
  banned.insert(banned.end(), s.suppressed.begin(), s.suppressed.end());
  if (tokens.size() == (s.forced_first ? 2u : 1u))
    banned.insert(banned.end(), s.suppressed_first.begin(), s.suppressed_first.end());
  std::sort(banned.begin(), banned.end());
  banned.erase(std::unique(banned.begin(), banned.end()), banned.end());
  return choice;
}

// Whatever followed the last n - 1 tokens when they came before.
void GenerationRules::ban_repeated(std::span<const int32_t> tokens, std::vector<int32_t> &banned) const {
  const size_t n = settings_.no_repeat_ngram;
  if (n == 0 || tokens.size() + 1 < n) return;
  const auto last = tokens.last(n - 1);
  for (size_t i = 0; i + n <= tokens.size(); ++i)
    if (std::equal(last.begin(), last.end(), tokens.begin() + ptrdiff_t(i)))
      banned.push_back(tokens[i + n - 1]);
}

// The last token of each bad word whose others have just been written.
void GenerationRules::ban_words(std::span<const int32_t> tokens, std::vector<int32_t> &banned) const {
  for (const std::vector<int32_t> &word : settings_.bad_words) {
    const size_t before = word.size() - 1;
    if (before > 0 && word.size() > tokens.size()) continue;
    if (std::equal(word.begin(), word.end() - 1, tokens.end() - ptrdiff_t(before)))
      banned.push_back(word.back());
  }
}

} // namespace fovea
