#include "tasks/ctc_listener.h"

#include <cmath>

namespace fovea {
namespace {

constexpr uint32_t kLengths = 5;

} // namespace

std::vector<float> StreamSound::window(int64_t from, int64_t to) const {
  std::vector<float> out(size_t(to - from));
  const int64_t first = std::max(from, int64_t(begin)), last = std::min(to, int64_t(end()));
  if (first < last)
    std::copy_n(samples.begin() + (first - int64_t(begin)), last - first, out.begin() + (first - from));
  return out;
}

CtcListener::CtcListener(const CtcSpec &spec, Ear ear, bool with_times, IsReady is_ready)
    : spec_(spec), ear_(std::move(ear)), is_ready_(std::move(is_ready)), segmenter_(spec, with_times) {
  const uint32_t hop = spec.hop_samples;
  for (uint32_t part = 1u << (kLengths - 1); part > 0; part /= 2) {
    const uint32_t length = (spec.window_samples / part + hop - 1) / hop * hop;
    if (length >= spec.context_samples && (lengths_.empty() || length > lengths_.back()))
      lengths_.push_back(length);
  }
}

void CtcListener::warm_up() {
  // The longest first: what is made for the others stays when memory need not grow any more.
  for (auto length = lengths_.rbegin(); length != lengths_.rend(); ++length)
    if (!is_ready_ || !is_ready_(*length)) ear_(std::vector<float>(*length));
}

void CtcListener::begin(uint64_t sample) {
  settled_ = std::max(settled_, sample);
  settled_at_ = sample;
}

uint32_t CtcListener::window_length(uint64_t at_least) const {
  const auto length = std::lower_bound(lengths_.begin(), lengths_.end(), at_least);
  return length == lengths_.end() ? lengths_.back() : *length;
}

bool CtcListener::must_settle(uint64_t now, uint64_t since) const {
  return now + 2 * uint64_t(spec_.overlap_samples) >= since + spec_.window_samples &&
         now > since + spec_.overlap_samples;
}

bool CtcListener::settle_due(uint64_t now, double cost_s) const {
  const double interval_s = std::max(kSettleSeconds, 2 * cost_s);
  return must_settle(now, settled_) || (now > settled_ + spec_.overlap_samples &&
                                        now >= settled_at_ + uint64_t(interval_s * spec_.sample_rate_hz));
}

uint64_t CtcListener::keep_from(uint64_t now) const {
  const uint64_t back = uint64_t(spec_.window_samples) + spec_.hop_samples;
  return now - std::min(now, back);
}

// Those that are not settled and whose middle lies before `end`.
std::vector<CtcWord> CtcListener::words(const StreamSound &sound, uint64_t end) const {
  const uint64_t hop = spec_.hop_samples, now = sound.end();
  // A window ends on a frame; where the stream ends, behind its last sample.
  const uint64_t window_end = (end == now ? now + hop - 1 : now) / hop * hop;
  const uint64_t wanted = settled_ - std::min<uint64_t>(settled_, spec_.overlap_samples);
  const auto length = int64_t(window_length(window_end - std::min(window_end, wanted)));
  const int64_t from = int64_t(window_end) - length;
  const std::vector<CtcFrame> frames = ear_(sound.window(from, int64_t(window_end)));
  // Not those of silence after the stream. What is heard in the silence before it is the first word: models
  // write some frames early, or all that comes first as soon as they listen.
  const size_t before = from < 0 ? size_t(-from) / hop : 0;
  const size_t after =
      std::min<size_t>(frames.size(), before + spec_.n_frames(now - uint64_t(std::max<int64_t>(from, 0))));
  CtcReader reader(spec_, uint64_t(std::max<int64_t>(from, 0)) / hop);
  std::vector<CtcWord> all;
  if (before < after) all = reader.push(std::span(frames).first(after));
  for (CtcWord &word : reader.finish()) all.push_back(std::move(word));
  for (CtcWord &word : all)
    for (uint64_t *frame : {&word.begin_frame, &word.end_frame}) *frame -= std::min<uint64_t>(*frame, before);
  std::erase_if(all, [&](const CtcWord &word) { return middle(word) < settled_ || middle(word) >= end; });
  if (any_words_ && !all.empty() && spec_.has_delimiter())
    all.front().n_spaces = std::max(all.front().n_spaces, 1u);
  return all;
}

// How many words settle, of those that are not; then also where the next can begin.
size_t CtcListener::settle(std::span<const CtcWord> all, uint64_t now) {
  const uint64_t hop = spec_.hop_samples, sure = now - std::min<uint64_t>(now, spec_.overlap_samples);
  const auto is_sure = [&](const CtcWord &word) { return word.end_frame * hop <= sure; };
  auto n = size_t(std::find_if_not(all.begin(), all.end(), is_sure) - all.begin());
  // A word as long as a window is taken as it is.
  if (n == 0 && !all.empty() && must_settle(now, all[0].begin_frame * hop)) n = 1;
  const uint64_t last = n > 0 ? all[n - 1].end_frame * hop : settled_;
  uint64_t next = std::max(last, sure);
  if (n < all.size()) {
    const uint64_t begin = all[n].begin_frame * hop;
    next = std::min(next, n > 0 ? (last + std::max(last, begin)) / 2 : begin - std::min(begin, hop));
  }
  settled_ = std::max(settled_, next);
  return n;
}

Heard CtcListener::hear(const StreamSound &sound, Moment moment, uint64_t end) {
  Heard heard;
  std::vector<CtcWord> all = words(sound, end);
  size_t n_settle = 0;
  if (moment == Moment::End) {
    n_settle = all.size();
    settled_ = std::max(settled_, end);
  } else if (moment == Moment::Settle) {
    n_settle = settle(all, sound.end());
    settled_at_ = sound.end();
  }
  for (size_t i = 0; i < n_settle; ++i)
    if (auto segment = segmenter_.add(std::move(all[i]))) heard.settled.push_back(std::move(*segment));
  any_words_ = any_words_ || n_settle > 0;
  if (moment == Moment::End)
    if (auto segment = segmenter_.flush()) heard.settled.push_back(std::move(*segment));
  heard.partial = segmenter_.preview(std::span(all).subspan(n_settle));
  return heard;
}

} // namespace fovea
