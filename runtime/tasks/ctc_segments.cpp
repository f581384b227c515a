#include "tasks/ctc_segments.h"

#include "text/clean_up.h"
#include "text/utf8.h"

#include <cmath>
#include <utility>

namespace fovea {
namespace {

constexpr double kPauseSeconds = 0.5, kMaxSeconds = 7;
constexpr size_t kMaxCharacters = 84;

} // namespace

std::optional<TranscriptSegment> CtcSegmenter::add(CtcWord word) {
  const size_t n = word.n_spaces + utf8_count(word.text);
  std::optional<TranscriptSegment> ended;
  if (with_times_ && !words_.empty()) {
    const double pause = spec_.seconds(word.begin_frame) - spec_.seconds(words_.back().end_frame);
    const double length = spec_.seconds(word.end_frame) - spec_.seconds(words_.front().begin_frame);
    if (pause >= kPauseSeconds || length > kMaxSeconds || n_characters_ + n > kMaxCharacters) ended = flush();
  }
  n_characters_ += n;
  words_.push_back(std::move(word));
  return ended;
}

std::optional<TranscriptSegment> CtcSegmenter::flush() {
  n_characters_ = 0;
  const std::vector<CtcWord> words = std::exchange(words_, {});
  if (words.empty()) return {};
  return segment_of(words);
}

std::optional<TranscriptSegment> CtcSegmenter::preview(std::span<const CtcWord> more) const {
  std::vector<CtcWord> words = words_;
  words.insert(words.end(), more.begin(), more.end());
  if (words.empty()) return {};
  return segment_of(words);
}

TranscriptSegment CtcSegmenter::segment_of(std::span<const CtcWord> words) const {
  TranscriptSegment s;
  s.start_s = spec_.seconds(words.front().begin_frame);
  s.end_s = spec_.seconds(words.back().end_frame);
  double sum_logprob = 0, n_letters = 0;
  for (const CtcWord &word : words) {
    s.text += std::string(word.n_spaces, ' ') + word.text;
    s.tokens.insert(s.tokens.end(), word.tokens.begin(), word.tokens.end());
    s.words.push_back({spec_.seconds(word.begin_frame), spec_.seconds(word.end_frame), word.text,
                       float(std::exp(word.sum_logprob / word.n_letters))});
    sum_logprob += word.sum_logprob;
    n_letters += word.n_letters;
  }
  s.avg_logprob = float(sum_logprob / n_letters);
  if (spec_.clean_up) clean_up_text(s.text);
  return s;
}

} // namespace fovea
