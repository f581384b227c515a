// BeamSearch: the bookkeeping of decoding several sequences side by side; the model runs elsewhere.
//
// As the reference implementation does: every live sequence offers its n_beams + 1 likeliest tokens; the
// n_beams best of all live on, those that end are finished; it stops with n_beams x patience finished ones
// (Kasai et al. 2022). Owns the sequences. One thread; nothing throws but std::bad_alloc.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

namespace fovea {

struct Hypothesis {
  std::vector<int32_t> tokens; // since the prompt, the end token left out
  double sum_logprob = 0;      // the end token's included, when it came
};

/// Sum over the length, or over ((5 + length) / 6)^penalty (Wu et al. 2016).
double score(const Hypothesis &hypothesis, std::optional<float> length_penalty);
/// Index of the best score, the first among equals; `all` must not be empty.
size_t best_hypothesis(std::span<const Hypothesis> all, std::optional<float> length_penalty);

class BeamSearch {
public:
  /// n_beams >= 1; patience > 0.
  BeamSearch(uint32_t n_beams, float patience, int32_t end_token);

  struct Candidate {
    float logprob;
    int32_t token;
  };
  /// Sequences to run next, best first; one, empty, before the first step; never more than n_beams.
  const std::vector<Hypothesis> &live() const { return live_; }
  /// candidates[i]: of live()[i], likeliest first; n_beams + 1 of them are looked at, forbidden ones left
  /// out. Afterwards live()[i] continues what was live()[sources()[i]].
  void step(std::span<const std::span<const Candidate>> candidates);
  const std::vector<uint32_t> &sources() const { return sources_; }
  /// Enough have finished, or none is left.
  bool done() const { return finished_.size() >= n_wanted_ || live_.empty(); }
  /// The finished ones, and while they are fewer than n_beams, the best live ones.
  std::vector<Hypothesis> results() const;

private:
  uint32_t n_beams_;
  size_t n_wanted_;
  int32_t end_token_;
  std::vector<Hypothesis> live_, finished_;
  std::vector<uint32_t> sources_;
};

} // namespace fovea
