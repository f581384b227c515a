// Sampling against what Hugging Face transformers' logits processors leave of the same logits.
#include "base/error.h"
#include "tasks/token_sampler.h"

#include <cmath>
#include <doctest/doctest.h>

using namespace fovea;

namespace {

constexpr float kLogits[] = {2.0f, 1.5f, 1.5f, -0.5f, 0.25f, -3.0f, 0.75f, 2.0f};

/// How often each token is drawn.
std::vector<double> shares(const SamplingOptions &options) {
  constexpr int kDraws = 40000;
  std::vector<double> out(std::size(kLogits));
  TokenSampler sampler(options, 7, uint32_t(out.size()));
  for (const int32_t seen : {0, 3, 3}) sampler.saw(seen);
  for (int i = 0; i < kDraws; ++i) out[size_t(sampler.choose(kLogits))] += 1.0 / kDraws;
  return out;
}

void check_shares(const SamplingOptions &options, const std::vector<double> &want) {
  const std::vector<double> got = shares(options);
  for (size_t i = 0; i < want.size(); ++i) {
    CAPTURE(i);
    if (want[i] == 0)
      CHECK(got[i] == 0);
    else
      CHECK(std::abs(got[i] - want[i]) < 0.015);
  }
}

} // namespace

TEST_CASE("token sampler: each option, and all of them, as the reference has them") {
  check_shares({.temperature = 1, .repeat_penalty = 2},
               {0.11876, 0.1958, 0.1958, 0.01607, 0.0561, 0.00218, 0.09249, 0.32282});
  check_shares({.temperature = 1, .top_k = 3},
               {0.31123, 0.18877, 0.18877, 0, 0, 0, 0, 0.31123}); // a tie stays
  check_shares({.temperature = 0.5f, .min_p = 0.3f}, {0.36553, 0.13447, 0.13447, 0, 0, 0, 0, 0.36553});
  check_shares({.temperature = 0.8f, .top_k = 5, .top_p = 0.8f, .min_p = 0.1f, .repeat_penalty = 1.3f},
               {0.21337, 0.20336, 0.20336, 0, 0, 0, 0, 0.37992});
}

TEST_CASE("token sampler: a nucleus wider than what is sorted at first") {
  std::vector<float> logits(5000);
  for (size_t i = 0; i < logits.size(); ++i) logits[i] = -float(i) * 1e-4f;
  TokenSampler sampler({.temperature = 1, .top_p = 0.5f}, 1, uint32_t(logits.size()));
  int32_t largest = 0;
  for (int i = 0; i < 2000; ++i) largest = std::max(largest, sampler.choose(logits));
  // The first half of the mass: a little less than half of the tokens.
  CHECK(largest < 2500);
  CHECK(largest > 2000);
}

TEST_CASE("token sampler: greedy, with and without a penalty; the same seed draws the same") {
  TokenSampler plain({}, 1, 8), penal({.repeat_penalty = 2}, 1, 8);
  CHECK_FALSE(plain.needs_logits());
  CHECK(penal.needs_logits());
  CHECK(plain.choose(kLogits) == 0);
  penal.saw(0);
  CHECK(penal.choose(kLogits) == 7);
  penal.saw(99); // no token of this vocabulary
  TokenSampler a({.temperature = 1}, 5, 8), b({.temperature = 1}, 5, 8);
  for (int i = 0; i < 50; ++i) CHECK(a.choose(kLogits) == b.choose(kLogits));
}

TEST_CASE("token sampler: options out of range, logits that are not numbers") {
  for (const SamplingOptions &o : {SamplingOptions{.temperature = -1}, SamplingOptions{.temperature = NAN},
                                   SamplingOptions{.top_p = 0}, SamplingOptions{.top_p = 1.1f},
                                   SamplingOptions{.min_p = -0.1f}, SamplingOptions{.repeat_penalty = 0}})
    CHECK_THROWS_AS(TokenSampler(o, 0, 8), Error);
  const float bad[] = {1, NAN, 2};
  TokenSampler sampler({.temperature = 1}, 0, 3);
  CHECK_THROWS_WITH_AS(sampler.choose(bad), doctest::Contains("logit of nan"), Error);
}
