#include "tasks/token_sampler.h"

#include "base/error.h"
#include "tasks/canary.h"

#include <algorithm>
#include <cmath>

namespace fovea {
namespace {

constexpr size_t kFirstSorted = 256; // of the vocabulary; a nucleus is rarely wider

} // namespace

void check(const SamplingOptions &o) {
  const auto reject = [](const char *name, float value, const char *expected) {
    fail(ErrorCode::InvalidArgument, name, " is ", value, ", expected ", expected);
  };
  if (!(o.temperature >= 0 && o.temperature <= 1000)) reject("temperature", o.temperature, "0 to 1000");
  if (!(o.top_p > 0 && o.top_p <= 1)) reject("top-p", o.top_p, "more than 0 and at most 1");
  if (!(o.min_p >= 0 && o.min_p <= 1)) reject("min-p", o.min_p, "0 to 1");
  if (!(o.repeat_penalty > 0 && o.repeat_penalty <= 1000))
    reject("the repeat penalty", o.repeat_penalty, "more than 0 and at most 1000");
}

TokenSampler::TokenSampler(const SamplingOptions &options, uint64_t seed, uint32_t n_vocabulary)
    : options_(options), random_(seed), is_seen_(n_vocabulary) {
  check(options);
}

void TokenSampler::saw(int32_t token) {
  if (token < 0 || size_t(token) >= is_seen_.size() || is_seen_[size_t(token)]) return;
  is_seen_[size_t(token)] = 1;
  seen_.push_back(token);
}

void TokenSampler::penalize() {
  if (options_.repeat_penalty == 1) return;
  for (const int32_t token : seen_) {
    double &score = scores_[size_t(token)];
    score = score < 0 ? score * double(options_.repeat_penalty) : score / double(options_.repeat_penalty);
  }
}

/// The n likeliest candidates to the front, in order; of equal ones the smaller token first.
size_t TokenSampler::sort_head(size_t n) {
  n = std::min(n, candidates_.size());
  std::partial_sort(candidates_.begin(), candidates_.begin() + int64_t(n), candidates_.end(),
                    [](const Candidate &a, const Candidate &b) {
                      return a.logit != b.logit ? a.logit > b.logit : a.token < b.token;
                    });
  return n;
}

void TokenSampler::select() {
  candidates_.clear();
  for (size_t i = 0; i < scores_.size(); ++i)
    candidates_.push_back({scores_[i] / double(options_.temperature), int32_t(i)});
  if (options_.top_k > 0 && options_.top_k < candidates_.size()) {
    sort_head(options_.top_k);
    const double last = candidates_[options_.top_k - 1].logit;
    std::erase_if(candidates_, [&](const Candidate &c) { return c.logit < last; });
  }
  sort_head(1);
  const double largest = candidates_[0].logit;
  const auto weight = [&](const Candidate &c) { return std::exp(c.logit - largest); };
  if (options_.top_p < 1) {
    double all = 0;
    for (const Candidate &c : candidates_) all += weight(c);
    const double wanted = double(options_.top_p) * all;
    double sum = 0;
    size_t kept = 0;
    for (size_t sorted = 0; kept < candidates_.size() && sum < wanted; ++kept) {
      if (kept == sorted) sorted = sort_head(std::max(kFirstSorted, 4 * sorted));
      sum += weight(candidates_[kept]);
    }
    candidates_.resize(std::max<size_t>(kept, 1));
  }
  if (options_.min_p > 0)
    std::erase_if(candidates_, [&](const Candidate &c) {
      return c.logit < largest && weight(c) < double(options_.min_p);
    });
}

int32_t TokenSampler::choose(std::span<const float> logits) {
  scores_.assign(logits.begin(), logits.end());
  check_finite("", "a logit of ", logits);
  penalize();
  if (options_.temperature == 0)
    return int32_t(std::max_element(scores_.begin(), scores_.end()) - scores_.begin());
  select();
  const double largest = candidates_[0].logit;
  double sum = 0;
  for (const Candidate &c : candidates_) sum += std::exp(c.logit - largest);
  double rest = random_.uniform() * sum;
  for (const Candidate &c : candidates_) {
    rest -= std::exp(c.logit - largest);
    if (rest < 0) return c.token;
  }
  return candidates_.back().token; // rounding left a rest
}

} // namespace fovea
