#include "tasks/speech_stream.h"

#include <chrono>
#include <cmath>
#include <utility>

namespace fovea {
namespace {

double steady_seconds() {
  return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

StreamOptions checked(StreamOptions options) {
  if (!(options.pause_s >= 0.2 && options.pause_s <= 5))
    fail(ErrorCode::InvalidArgument, "a pause of ", options.pause_s, " s, expected 0.2 to 5");
  if (!(options.partial_s >= 0 && options.partial_s <= 3600))
    fail(ErrorCode::InvalidArgument, "text so far every ", options.partial_s, " s, expected 0 to 3600");
  if (!options.clock) options.clock = steady_seconds;
  return options;
}

std::string text_of(const std::optional<TranscriptSegment> &segment) { return segment ? segment->text : ""; }

} // namespace

SpeechStream::SpeechStream(std::unique_ptr<Listener> listener, StreamOptions options,
                           StreamCallbacks callbacks)
    : listener_(std::move(listener)), options_(checked(std::move(options))), callbacks_(std::move(callbacks)),
      rate_hz_(listener_->sample_rate_hz()), gate_(rate_hz_, {.pause_s = options_.pause_s}) {
  listener_->warm_up();
}

void SpeechStream::push(std::span<const float> samples) {
  if (finished_) fail(ErrorCode::InvalidArgument, "samples pushed to a stream that is finished");
  for (size_t i = 0; i < samples.size(); ++i)
    if (!std::isfinite(samples[i]))
      fail(ErrorCode::InvalidArgument, "stream: sample ", n_pushed() + i, " (at ", seconds(n_pushed() + i),
           " s) is ", samples[i], ", not a number that sound can have");
  sound_.insert(sound_.end(), samples.begin(), samples.end());
  advance();
  look();
}

void SpeechStream::finish() {
  finished_ = true;
  advance();
  if (!std::exchange(ended_, true) && gate_.open()) {
    at_ = n_pushed();
    stats_.speech_s += seconds(at_ - gate_.begin());
    due_ = {Listener::Moment::End, at_};
  }
  act();
}

StreamStats SpeechStream::stats() const {
  StreamStats stats = stats_;
  stats.audio_s = seconds(n_pushed());
  return stats;
}

void SpeechStream::advance() {
  for (act(); at_ + gate_.block() <= n_pushed(); act()) {
    const auto event = gate_.push(std::span(sound_).subspan(size_t(at_ - begin_), gate_.block()));
    at_ += gate_.block();
    if (event == VoiceGate::Event::Begin) {
      listener_->begin(gate_.begin());
      heard_at_ = at_;
      ++stats_.n_utterances;
    } else if (event == VoiceGate::Event::End) {
      stats_.speech_s += seconds(gate_.end() - gate_.begin());
      due_ = {Listener::Moment::End, gate_.end()};
    } else if (gate_.open() && listener_->settle_due(at_, cost_s_)) {
      due_ = {Listener::Moment::Settle, at_};
    }
    if (!due_) forget();
  }
}

void SpeechStream::act() {
  if (due_) hear(*due_); // stays due if it throws
  due_.reset();
  deliver();
}

void SpeechStream::look() {
  const double since_s = seconds(at_ - heard_at_);
  if (options_.partial_s == 0 || !gate_.speaking() || since_s < std::max(options_.partial_s, 2 * cost_s_))
    return;
  hear({Listener::Moment::Partial, at_});
  ++stats_.n_partials;
  deliver();
}

void SpeechStream::hear(Due due) {
  const double begun = options_.clock();
  Heard heard = listener_->hear({begin_, std::span(sound_).first(size_t(at_ - begin_))}, due.moment, due.end);
  cost_s_ = std::max(0.0, options_.clock() - begun);
  heard_at_ = at_;
  stats_.busy_s += cost_s_;
  ++stats_.n_hearings;
  // Two hearings may put a word some frames apart.
  const auto after = [](double &at, double earliest) { at = std::max(at, earliest); };
  const auto put_after = [&](TranscriptSegment &s) {
    double reached = reached_s_;
    after(s.start_s, reached);
    for (TranscriptWord &word : s.words) {
      after(word.start_s, reached);
      after(word.end_s, word.start_s);
      reached = word.end_s;
    }
    after(s.end_s, std::max(s.start_s, reached));
  };
  for (TranscriptSegment &s : heard.settled) {
    put_after(s);
    reached_s_ = s.end_s;
    settled_.push_back(std::move(s));
  }
  if (heard.partial) put_after(*heard.partial);
  partial_is_new_ = partial_is_new_ || text_of(heard.partial) != text_of(partial_);
  partial_ = std::move(heard.partial);
}

void SpeechStream::deliver() {
  while (!settled_.empty()) {
    const TranscriptSegment segment = std::move(settled_.front());
    settled_.pop_front();
    if (const auto [code, probability] = listener_->language(); !std::exchange(language_told_, true))
      if (!code.empty() && callbacks_.language) callbacks_.language(code, probability);
    if (callbacks_.segment) callbacks_.segment(segment);
  }
  if (std::exchange(partial_is_new_, false) && callbacks_.partial) callbacks_.partial(partial_);
}

void SpeechStream::forget() {
  uint64_t keep = listener_->keep_from(at_);
  if (!gate_.open()) keep = std::min(keep, gate_.earliest_begin());
  const size_t n_stale = size_t(std::max(keep, begin_) - begin_);
  if (n_stale <= sound_.size() / 2 || n_stale < rate_hz_) return; // seldom enough to cost nothing
  sound_.erase(sound_.begin(), sound_.begin() + std::ptrdiff_t(n_stale));
  begin_ += n_stale;
}

} // namespace fovea
