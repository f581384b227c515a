#include "tasks/beam_search.h"

#include "tasks/sampling.h"

#include <algorithm>
#include <cmath>

namespace fovea {

double score(const Hypothesis &hypothesis, std::optional<float> length_penalty) {
  const double length = double(std::max<size_t>(hypothesis.tokens.size(), 1));
  return hypothesis.sum_logprob /
         (length_penalty ? std::pow((5 + length) / 6, double(*length_penalty)) : length);
}

size_t best_hypothesis(std::span<const Hypothesis> all, std::optional<float> length_penalty) {
  size_t best = 0;
  for (size_t i = 1; i < all.size(); ++i)
    if (score(all[i], length_penalty) > score(all[best], length_penalty)) best = i;
  return best;
}

BeamSearch::BeamSearch(uint32_t n_beams, float patience, int32_t end_token)
    : n_beams_(n_beams),
      n_wanted_(std::max<size_t>(1, size_t(std::lround(double(n_beams) * double(patience))))),
      end_token_(end_token), live_(1) {}

void BeamSearch::step(std::span<const std::span<const Candidate>> candidates) {
  struct Offer {
    uint32_t source;
    int32_t token;
    double sum_logprob;
  };
  std::vector<Offer> offers;
  for (uint32_t i = 0; i < live_.size(); ++i)
    for (size_t c = 0; c < std::min<size_t>(candidates[i].size(), n_beams_ + 1); ++c)
      if (const Candidate &candidate = candidates[i][c]; candidate.logprob > kForbiddenLogprob)
        offers.push_back({i, candidate.token, live_[i].sum_logprob + double(candidate.logprob)});
  std::stable_sort(offers.begin(), offers.end(),
                   [](const Offer &a, const Offer &b) { return a.sum_logprob > b.sum_logprob; });

  std::vector<Hypothesis> next;
  sources_.clear();
  for (const Offer &offer : offers) {
    if (next.size() == n_beams_) break;
    Hypothesis h{live_[offer.source].tokens, offer.sum_logprob};
    if (offer.token == end_token_) {
      if (finished_.size() < n_wanted_) finished_.push_back(std::move(h));
      continue;
    }
    h.tokens.push_back(offer.token);
    next.push_back(std::move(h));
    sources_.push_back(offer.source);
  }
  live_ = std::move(next);
}

std::vector<Hypothesis> BeamSearch::results() const {
  std::vector<Hypothesis> out = finished_;
  for (const Hypothesis &h : live_) {
    if (out.size() >= n_beams_) break;
    out.push_back(h);
  }
  return out;
}

} // namespace fovea
