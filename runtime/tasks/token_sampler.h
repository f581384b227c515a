// TokenSampler: the next token from a model's logits: the likeliest, or drawn from what top-k, top-p
// (Holtzman et al., 2020) and min-p (Nguyen et al., 2024) leave. Order and meaning are those of Hugging Face
// transformers: repeat penalty (Keskar et al., 2019), temperature, top-k, top-p, min-p; only then is a number
// drawn.
//
// Owns the draw's state and which tokens have been seen. One thread. Throws InvalidArgument for options,
// WrongResult for logits that are not numbers. Rejected: sampling on the device (a row of logits is small
// beside the weights that made it, and a host's arithmetic is the same everywhere).
#pragma once

#include "tasks/sampling.h"

#include <vector>

namespace fovea {

struct SamplingOptions {
  float temperature = 0; // 0: the likeliest token
  uint32_t top_k = 0;    // of so many likeliest; 0: of all. Those that tie with the last stay
  float top_p = 1;       // of the likeliest that together reach this probability
  float min_p = 0;       // of those at least this likely, relative to the likeliest
  float repeat_penalty =
      1; // logits of tokens that are there already: positive ones divided, others multiplied
};

/// Error InvalidArgument that names the option.
void check(const SamplingOptions &options);

class TokenSampler {
public:
  TokenSampler(const SamplingOptions &options, uint64_t seed, uint32_t n_vocabulary);

  /// Whether choose() is needed: otherwise the token is the one with the largest logit.
  bool needs_logits() const { return options_.temperature > 0 || options_.repeat_penalty != 1; }
  /// A token of the prompt or of the reply: what the repeat penalty counts.
  void saw(int32_t token);
  int32_t choose(std::span<const float> logits);

private:
  struct Candidate {
    double logit;
    int32_t token;
  };
  void penalize();
  /// scores_ into candidates_, the likeliest first, as far as they can be drawn.
  void select();
  size_t sort_head(size_t n);

  SamplingOptions options_;
  Random random_;
  std::vector<uint8_t> is_seen_; // by token
  std::vector<int32_t> seen_;
  std::vector<double> scores_;
  std::vector<Candidate> candidates_;
};

} // namespace fovea
