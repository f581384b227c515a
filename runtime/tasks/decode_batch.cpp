#include "tasks/decode_batch.h"

#include "base/error.h"
#include "tasks/ranked_beams.h"

#include <algorithm>
#include <numeric>
#include <unordered_set>

namespace fovea {
namespace {

using Scored = DecoderSession::Scored;

// The n best of all scores that the rules allow.
std::vector<Scored> choose(std::span<const float> scores, const TokenChoice &choice,
                           const GenerationRules &rules, std::span<const int32_t> tokens, size_t n) {
  std::vector<float> values(scores.begin(), scores.end());
  if (rules.settings().repetition_penalty != 1)
    for (const int32_t token : std::unordered_set<int32_t>(tokens.begin(), tokens.end()))
      values[size_t(token)] = rules.penalized(values[size_t(token)]);
  std::vector<int32_t> order;
  for (int32_t token = 0; token < int32_t(values.size()); ++token)
    if (choice.allows(token)) order.push_back(token);
  n = std::min(n, order.size());
  std::partial_sort(order.begin(), order.begin() + ptrdiff_t(n), order.end(), [&](int32_t a, int32_t b) {
    return values[size_t(a)] != values[size_t(b)] ? values[size_t(a)] > values[size_t(b)] : a < b;
  });
  std::vector<Scored> out;
  for (size_t i = 0; i < n; ++i) out.push_back({values[size_t(order[i])], order[i]});
  return out;
}

// What may follow one sequence, best first; of the few that the device picked where they suffice.
class Chooser {
public:
  Chooser(const DecoderSession &session, const GenerationRules &rules, bool beams)
      : session_(session), rules_(rules), beams_(beams) {}

  /// Whether `n` of what the device picks remain whatever is banned.
  bool few_suffice(const TokenChoice &choice, size_t n) const {
    const size_t picked = beams_ ? session_.n_top() : session_.n_best();
    return rules_.settings().repetition_penalty == 1 &&
           (choice.banned.size() + n <= picked || picked >= rules_.settings().n_vocabulary);
  }

  std::vector<Scored> best(uint32_t sequence, std::span<const int32_t> tokens, const TokenChoice &choice,
                           size_t n, bool all) const {
    if (!choice.forced
             .empty()) { // certain: the reference sets their scores to 0, all others to minus infinity
      std::vector<Scored> out;
      for (const int32_t token : choice.forced) out.push_back({0, token});
      return out;
    }
    if (all)
      return choose(beams_ ? session_.logprobs(sequence) : session_.last(sequence), choice, rules_, tokens,
                    n);
    std::vector<Scored> out;
    for (const Scored &s : beams_ ? session_.top(sequence) : session_.best(sequence))
      if (out.size() < n && choice.allows(s.token)) out.push_back(s);
    return out;
  }

private:
  const DecoderSession &session_;
  const GenerationRules &rules_;
  bool beams_;
};

// One source's sequences: a single one, or beams.
class Search {
public:
  Search(const GenerationRules &rules, uint32_t limit, uint32_t n_beams) : rules_(rules), limit_(limit) {
    const GenerationSettings &s = rules.settings();
    if (n_beams > 1)
      beams_.emplace(RankedBeams::Options{n_beams, s.end.size(), s.length_penalty, s.early_stopping, limit},
                     s.start);
    else
      single_ = {s.start};
  }

  std::span<const int32_t> tokens(uint32_t beam) const {
    return beams_ ? beams_->live()[beam].tokens : single_;
  }
  uint32_t source(uint32_t beam) const {
    return beams_ && !beams_->sources().empty() ? beams_->sources()[beam] : beam;
  }
  size_t n_candidates() const { return beams_ ? beams_->n_candidates() : 1; }
  bool done() const { return beams_ ? beams_->done() : done_; }

  void step(std::span<const std::vector<Scored>> best) {
    if (!beams_) {
      if (best[0].empty()) { // every token is forbidden
        done_ = true;
        return;
      }
      single_.push_back(best[0][0].token);
      done_ = rules_.is_end(single_.back()) || single_.size() >= limit_;
      return;
    }
    std::vector<std::vector<RankedBeams::Candidate>> candidates;
    for (const auto &row : best) {
      auto &to = candidates.emplace_back();
      for (const Scored &s : row) to.push_back({s.score, s.token, rules_.is_end(s.token)});
    }
    beams_->step(candidates);
  }
  DecodedSequence result() const {
    return beams_ ? DecodedSequence{beams_->best().tokens, beams_->best().score}
                  : DecodedSequence{single_, 0};
  }

private:
  const GenerationRules &rules_;
  uint32_t limit_;
  std::optional<RankedBeams> beams_;
  std::vector<int32_t> single_;
  bool done_ = false;
};

class Batch {
public:
  Batch(DecoderSession &session, const GenerationRules &rules, size_t n_wanted)
      : session_(session), rules_(rules), n_beams_(session.sizes().n_beams),
        limit_(rules.settings().length_limit()) {
    for (size_t i = 0; i < n_wanted; ++i) searches_.emplace_back(rules, limit_, n_beams_);
  }

  std::optional<std::vector<DecodedSequence>> run() {
    for (uint32_t at = 0; !all_done(); ++at) {
      if (at == session_.sizes().cache_tokens) return {};
      step(at);
    }
    std::vector<DecodedSequence> out;
    for (const Search &s : searches_) out.push_back(s.result());
    return out;
  }

private:
  bool all_done() const {
    return std::all_of(searches_.begin(), searches_.end(), [](const Search &s) { return s.done(); });
  }

  void step(uint32_t at) {
    const uint32_t n = session_.sizes().n_sequences();
    std::vector<int32_t> tokens(n, rules_.settings().start); // of rows that nobody wants: anything
    std::vector<TokenChoice> choices(n);
    const bool beams = n_beams_ > 1;
    const Chooser chooser(session_, rules_, beams);
    bool all = false;
    for (uint32_t i = 0; i < searches_.size(); ++i)
      for (uint32_t b = 0; b < n_beams_; ++b) {
        const uint32_t row = i * n_beams_ + b;
        const auto written = searches_[i].tokens(b);
        tokens[row] = written.back();
        if (searches_[i].done()) continue;
        choices[row] = rules_.after(written, limit_);
        all = all || !chooser.few_suffice(choices[row], searches_[i].n_candidates());
      }
    DecoderSession::Wants wants;
    (beams ? (all ? wants.logprobs : wants.top) : (all ? wants.last : wants.best)) = true;
    session_.step(tokens, at, wants);
    for (uint32_t i = 0; i < searches_.size(); ++i) {
      if (searches_[i].done()) continue;
      std::vector<std::vector<Scored>> best;
      for (uint32_t b = 0; b < n_beams_; ++b)
        best.push_back(chooser.best(i * n_beams_ + b, searches_[i].tokens(b), choices[i * n_beams_ + b],
                                    searches_[i].n_candidates(), all));
      searches_[i].step(best);
    }
    if (beams && !all_done()) reorder(at + 1);
  }

  void reorder(uint32_t n_rows) {
    std::vector<uint32_t> order(session_.sizes().n_sequences());
    std::iota(order.begin(), order.end(), 0u);
    bool moved = false;
    for (uint32_t i = 0; i < searches_.size(); ++i)
      for (uint32_t b = 0; b < n_beams_; ++b) {
        if (searches_[i].done()) continue;
        const uint32_t row = i * n_beams_ + b;
        order[row] = i * n_beams_ + searches_[i].source(b);
        moved = moved || order[row] != row;
      }
    if (moved) session_.reorder(order, n_rows);
  }

  DecoderSession &session_;
  const GenerationRules &rules_;
  uint32_t n_beams_, limit_;
  std::vector<Search> searches_;
};

} // namespace

std::optional<std::vector<DecodedSequence>> decode_batch(DecoderSession &session,
                                                         const GenerationRules &rules, size_t n_wanted) {
  return Batch(session, rules, n_wanted).run();
}

} // namespace fovea
