#include "tasks/ranked_beams.h"

#include <algorithm>
#include <cmath>

namespace fovea {
namespace {

// Stands for minus infinity in the reference's sums.
constexpr float kNever = -1e9f;

float penalty(uint32_t length, float exponent) { return float(std::pow(double(length), double(exponent))); }

} // namespace

RankedBeams::RankedBeams(const Options &options, int32_t start)
    : options_(options), n_kept_(std::max<size_t>(2, 1 + options.n_end_tokens) * options.n_beams) {
  // All begin alike; only the first counts, so that the first step does not choose one token for all.
  for (uint32_t i = 0; i < options.n_beams; ++i) live_.push_back({{start}, i == 0 ? 0.0f : kNever});
  finished_.resize(options.n_beams);
  for (Finished &f : finished_) f.score = kNever;
}

void RankedBeams::step(std::span<const std::vector<Candidate>> candidates) {
  std::vector<Offer> offers;
  const auto length = uint32_t(live_[0].tokens.size() + 1); // with the new token
  for (uint32_t i = 0; i < live_.size(); ++i)
    for (size_t c = 0; c < std::min(candidates[i].size(), n_kept_); ++c) {
      const Candidate &candidate = candidates[i][c];
      offers.push_back(
          {i, candidate, candidate.logprob + live_[i].score, candidate.ends || length >= options_.limit});
    }
  std::stable_sort(offers.begin(), offers.end(),
                   [](const Offer &a, const Offer &b) { return a.score > b.score; });
  if (offers.size() > n_kept_) offers.resize(n_kept_);
  if (offers.empty()) { // every token is forbidden
    done_ = true;
    return;
  }
  finish(offers);

  std::vector<Offer> next = offers;
  for (Offer &o : next)
    if (o.ends) o.score += kNever;
  std::stable_sort(next.begin(), next.end(),
                   [](const Offer &a, const Offer &b) { return a.score > b.score; });
  std::vector<Sequence> live;
  sources_.clear();
  for (size_t i = 0; i < options_.n_beams; ++i) {
    const Offer &o = next[std::min(i, next.size() - 1)]; // fewer only where the vocabulary is that small
    Sequence s{live_[o.source].tokens, i < next.size() ? o.score : o.score + kNever};
    s.tokens.push_back(o.candidate.token);
    live.push_back(std::move(s));
    sources_.push_back(o.source);
  }
  live_ = std::move(live);
  update_done(length);
  // Nothing can go on: the length limit, or nothing but ends.
  if (std::all_of(offers.begin(), offers.end(), [](const Offer &o) { return o.ends; })) done_ = true;
}

// Only the first n_beams offers may finish: the others are there so that enough live on.
void RankedBeams::finish(const std::vector<Offer> &offers) {
  const bool full =
      options_.early_stopping == EarlyStopping::Yes &&
      std::all_of(finished_.begin(), finished_.end(), [](const Finished &f) { return f.finished; });
  if (full) return;
  std::vector<Finished> all = finished_;
  for (size_t i = 0; i < std::min<size_t>(offers.size(), options_.n_beams); ++i) {
    const Offer &o = offers[i];
    if (!o.ends) continue;
    Finished f;
    f.tokens = live_[o.source].tokens;
    f.tokens.push_back(o.candidate.token);
    f.score = o.score / penalty(uint32_t(f.tokens.size() - 1), options_.length_penalty);
    f.finished = true;
    all.push_back(std::move(f));
  }
  std::stable_sort(all.begin(), all.end(),
                   [](const Finished &a, const Finished &b) { return a.score > b.score; });
  all.resize(options_.n_beams);
  finished_ = std::move(all);
}

void RankedBeams::update_done(uint32_t length) {
  const bool all_finished =
      std::all_of(finished_.begin(), finished_.end(), [](const Finished &f) { return f.finished; });
  if (!all_finished) return;
  const bool longest = options_.early_stopping == EarlyStopping::Never && options_.length_penalty > 0;
  const float possible =
      live_[0].score / penalty((longest ? options_.limit : length) - 1, options_.length_penalty);
  if (options_.early_stopping == EarlyStopping::Yes || !(possible > finished_.back().score)) done_ = true;
}

const RankedBeams::Sequence &RankedBeams::best() const {
  return finished_[0].finished ? static_cast<const Sequence &>(finished_[0]) : live_[0];
}

} // namespace fovea
