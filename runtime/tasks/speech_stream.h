// SpeechStream: speech to text while it is spoken. Samples are pushed as they come; what is said settles, and
// what may still change is shown before it does.
//
// The VoiceGate finds utterances; a Listener hears them. At the end of an utterance everything in it settles;
// in a long one, what the listener is sure of. When something settles depends on the sound alone (and on the
// device where it is too slow, ctc_listener.h), not on how the samples are pushed. Text so far is a look
// that changes nothing: it is taken at the end of a push, so that one that brings much at once costs one,
// and no sooner after the last hearing than twice what that took: a slow device shows less and falls behind
// no further. Positions are counted in samples and times made of them: nothing drifts.
//
// Owns the sound that may still be needed: a window's length, and what one push brings. One thread.
// push() throws InvalidArgument for samples that are not finite (it has then taken none of them), and what
// the listener and the callbacks throw; it has then taken all of them, and the next push() or finish() goes
// on where it stopped, unless the device is lost. Rejected: two threads in here (who has samples coming in
// has one already; the tool keeps them in a queue), settling what two hearings agree on (LocalAgreement of
// Macháček et al., 2023: on a slow device there is no second hearing).
#pragma once

#include "audio/voice_gate.h"
#include "tasks/listener.h"

#include <deque>

namespace fovea {

struct StreamOptions {
  double pause_s = 0.6;          // without voice, that ends an utterance: 0.2 … 5
  double partial_s = 0.5;        // of sound between two looks at what is said, at least; 0: none
  std::function<double()> clock; // seconds, to tell what a hearing takes; empty: the computer's
};

struct StreamCallbacks {
  std::function<void(const TranscriptSegment &)> segment; // settled, in order; never changes
  /// All that is said since the last settled segment; nothing: it settled, or was none.
  std::function<void(const std::optional<TranscriptSegment> &)> partial;
  std::function<void(const std::string &code, float probability)> language; // before the first segment
};

struct StreamStats {
  double audio_s = 0;                                        // pushed
  double speech_s = 0;                                       // in utterances
  double busy_s = 0;                                         // hearing
  uint64_t n_utterances = 0, n_hearings = 0, n_partials = 0; // n_partials: of the hearings, looks
};

class SpeechStream {
public:
  /// Warms the listener up.
  SpeechStream(std::unique_ptr<Listener> listener, StreamOptions options, StreamCallbacks callbacks);

  /// The next samples: mono at the listener's rate, full scale 1.
  void push(std::span<const float> samples);
  /// The end of the stream: everything settles. Nothing may be pushed afterwards.
  void finish();
  StreamStats stats() const;
  /// Samples in memory.
  size_t n_kept() const { return sound_.size(); }

private:
  struct Due {
    Listener::Moment moment;
    uint64_t end;
  };
  void advance();
  void act();
  void look();
  void hear(Due due);
  void deliver();
  void forget();
  uint64_t n_pushed() const { return begin_ + sound_.size(); }
  double seconds(uint64_t n_samples) const { return double(n_samples) / rate_hz_; }

  std::unique_ptr<Listener> listener_;
  StreamOptions options_;
  StreamCallbacks callbacks_;
  uint32_t rate_hz_;
  VoiceGate gate_;
  std::vector<float> sound_;    // from sample begin_ on
  uint64_t begin_ = 0, at_ = 0; // at_: gone through
  std::optional<Due> due_;      // failed, or about to be done
  bool finished_ = false, ended_ = false;

  double cost_s_ = 0;                     // of the last hearing
  uint64_t heard_at_ = 0;                 // its end
  std::deque<TranscriptSegment> settled_; // not delivered yet
  std::optional<TranscriptSegment> partial_;
  bool partial_is_new_ = false, language_told_ = false;
  double reached_s_ = 0; // end of the last settled segment
  StreamStats stats_;
};

} // namespace fovea
