// GenerationRules: which tokens a sequence may go on with, as the reference implementation's logits
// processors decide it. Immutable; thread-safe. Nothing throws but std::bad_alloc.
#pragma once

#include "tasks/generation_settings.h"

#include <span>

namespace fovea {

/// What may follow one sequence.
struct TokenChoice {
  std::vector<int32_t> forced; // if any: one of these, each as if it were certain
  std::vector<int32_t> banned; // else: none of these; sorted, each once
  bool allows(int32_t token) const;
};

class GenerationRules {
public:
  explicit GenerationRules(GenerationSettings settings);

  const GenerationSettings &settings() const { return settings_; }
  /// `tokens` begin with the start token; limit: see GenerationSettings::length_limit().
  TokenChoice after(std::span<const int32_t> tokens, uint32_t limit) const;
  bool is_end(int32_t token) const;
  /// What repetition does to a score: a logit in greedy search, a log-probability in beam search.
  float penalized(float score) const;

private:
  void ban_repeated(std::span<const int32_t> tokens, std::vector<int32_t> &banned) const;
  void ban_words(std::span<const int32_t> tokens, std::vector<int32_t> &banned) const;
  GenerationSettings settings_;
};

} // namespace fovea
