#include "tasks/ctc_search.h"

#include "tasks/metadata_reader.h"

#include <algorithm>
#include <cmath>

namespace fovea {
namespace {

// Classes and texts this much less likely than the best are not followed (nats).
constexpr float kWorstCandidate = -10, kWorstBeam = -14;
constexpr char kSpace = ' ';

float log_sum(float a, float b) {
  const float most = std::max(a, b);
  return most + std::log1p(std::exp(std::min(a, b) - most));
}

} // namespace

CtcSearchSettings CtcSearchSettings::read(const ModelFile &file) {
  const MetadataReader read(file);
  CtcSearchSettings s;
  const auto number = [&](std::string_view key, float &value, float least, float most) {
    value = file.find_f32(key).value_or(value);
    if (!(value >= least && value <= most)) read.reject(key, value, concat(least, " to ", most));
  };
  if (constexpr std::string_view kBeams = "fovea.transcribe.ctc.beams"; file.find_meta(kBeams))
    s.n_beams = read.size(kBeams, 1, CtcSearch::kMaxBeams);
  number("fovea.transcribe.ctc.word_weight", s.weight, 0, 100);
  number("fovea.transcribe.ctc.word_bonus", s.bonus, -100, 100);
  number("fovea.transcribe.ctc.unknown_word", s.unknown, -1000, 0);
  return s;
}

void CtcSearch::begin() {
  texts_.clear();
  longer_.clear();
  steps_.clear();
  texts_.push_back({NgramModel::no_words(), words_.all()});
  beams_.assign(1, Beam());
}

// Of the last word, if one is begun.
float CtcSearch::finished(const Text &text) const {
  if (text.n_bytes == 0) return text.whole;
  const int32_t word = words_.exact(text.range, text.n_bytes);
  const float score =
      word == NgramModel::kNone ? settings_.unknown : settings_.weight * words_.logprob(text.context, word);
  return text.whole + score + settings_.bonus;
}

uint32_t CtcSearch::extend(uint32_t text, char byte) {
  const auto [at, is_new] = longer_.try_emplace(uint64_t(text) << 8 | uint8_t(byte), uint32_t(texts_.size()));
  if (!is_new) return at->second;
  Text longer = texts_[text];
  longer.without_space = byte == kSpace ? text : at->second;
  if (byte == kSpace) {
    longer.whole = finished(longer);
    longer.context = NgramModel::after(longer.context, words_.exact(longer.range, longer.n_bytes));
    longer.range = words_.all();
    longer.n_bytes = 0;
    longer.so_far = longer.whole;
  } else {
    longer.range = words_.narrow(longer.range, longer.n_bytes, byte);
    ++longer.n_bytes;
    longer.so_far =
        longer.whole +
        (longer.range.empty() ? settings_.unknown : settings_.weight * words_.best_logprob(longer.range));
  }
  texts_.push_back(longer);
  return uint32_t(texts_.size() - 1);
}

uint32_t CtcSearch::extend(uint32_t text, int32_t token) {
  if (spec_.is_delimiter(token)) return texts_[text].n_bytes == 0 ? text : extend(text, kSpace);
  for (const char byte : spec_.tokens[size_t(token)]) text = extend(text, byte);
  return text;
}

void CtcSearch::advance(std::span<const CtcFrame> candidates) {
  next_.clear();
  where_.clear();
  for (const Beam &beam : beams_)
    for (const CtcFrame &frame : candidates) {
      if (frame.logprob < kWorstCandidate && &frame != candidates.data()) break;
      const bool repeats = frame.token == beam.last || frame.token == spec_.blank;
      const uint32_t text = repeats ? beam.text : extend(beam.text, frame.token);
      // A delimiter that ends no word writes nothing.
      const bool writes = repeats || text != beam.text || !spec_.is_delimiter(frame.token);
      const CtcFrame written{writes ? frame.token : spec_.blank, frame.logprob};
      const float best = beam.best + frame.logprob, sum = beam.sum + frame.logprob;
      const auto [at, is_new] =
          where_.try_emplace(uint64_t(text) << 32 | uint32_t(written.token), uint32_t(next_.size()));
      if (is_new) next_.push_back({text, 0, written.token, -INFINITY, -INFINITY});
      Beam &next = next_[at->second];
      next.sum = is_new ? sum : log_sum(next.sum, sum);
      if (is_new || best > next.best) {
        next.best = best;
        next.step = uint32_t(steps_.size());
        steps_.push_back({written, beam.step});
      }
    }
  const auto score = [&](const Beam &b) { return b.sum + texts_[b.text].so_far; };
  const size_t n = std::min<size_t>(settings_.n_beams, next_.size());
  std::partial_sort(next_.begin(), next_.begin() + ptrdiff_t(n), next_.end(),
                    [&](const Beam &a, const Beam &b) { return score(a) > score(b); });
  next_.resize(n);
  std::erase_if(next_, [&, most = score(next_[0])](const Beam &b) { return score(b) < most + kWorstBeam; });
  beams_.swap(next_);
}

std::vector<CtcFrame> CtcSearch::run(std::span<const CtcFrame> candidates, size_t n_candidates) {
  begin();
  for (size_t at = 0; at < candidates.size(); at += n_candidates)
    advance(candidates.subspan(at, n_candidates));
  // A text's ways end in any class, with a delimiter or without.
  std::unordered_map<uint32_t, float> sums;
  for (const Beam &beam : beams_) {
    const auto [at, is_new] = sums.try_emplace(texts_[beam.text].without_space, beam.sum);
    if (!is_new) at->second = log_sum(at->second, beam.sum);
  }
  const auto score = [&](const Beam &b) {
    return sums[texts_[b.text].without_space] + finished(texts_[b.text]);
  };
  const auto best = std::max_element(beams_.begin(), beams_.end(), [&](const Beam &a, const Beam &b) {
    const float of_a = score(a), of_b = score(b);
    return of_a != of_b ? of_a < of_b : a.best < b.best;
  });
  std::vector<CtcFrame> out(candidates.size() / n_candidates);
  uint32_t step = best->step;
  for (size_t i = out.size(); i-- > 0; step = steps_[step].before) out[i] = steps_[step].frame;
  return out;
}

} // namespace fovea
