// Listener: what a kind of speech model makes of an utterance while it is spoken: text that is settled, and
// text that may still change. What SpeechStream is in front of, as Transcription is what Transcriber is in
// front of.
//
// One thread. hear() throws what the session throws, and has then changed nothing: it may be called again.
#pragma once

#include "tasks/transcribe.h"

namespace fovea {

/// What of a stream is in memory: its samples from `begin` on, up to now.
struct StreamSound {
  uint64_t begin = 0;
  std::span<const float> samples;
  uint64_t end() const { return begin + samples.size(); }
  /// Samples from … to; those that are not here are silence.
  std::vector<float> window(int64_t from, int64_t to) const;
};

struct Heard {
  std::vector<TranscriptSegment> settled;   // in order; they will not change
  std::optional<TranscriptSegment> partial; // all else that was said, as one
};

class Listener {
public:
  virtual ~Listener() = default;
  virtual uint32_t sample_rate_hz() const = 0;
  /// Hears what takes long the first time, so that the first words need not wait for it.
  virtual void warm_up() = 0;

  /// An utterance begins at this sample, no earlier than the last one ended.
  virtual void begin(uint64_t sample) = 0;
  enum class Moment {
    Partial, // a look at what is said: nothing settles
    Settle,  // what cannot change any more settles
    End      // the utterance ended: all settles
  };
  /// `end`: of the utterance so far; sound after it, if there is any, only helps to hear what is before.
  virtual Heard hear(const StreamSound &sound, Moment moment, uint64_t end) = 0;
  /// Whether at `now` something must settle, if a hearing takes `cost_s`.
  virtual bool settle_due(uint64_t now, double cost_s) const = 0;
  /// Samples before this one will not be needed again; `now`: where the stream is. At most a window's length
  /// before the utterance or `now`, whatever comes first.
  virtual uint64_t keep_from(uint64_t now) const = 0;
  /// Code, and how sure; "" before it is known and where a model knows none.
  virtual std::pair<std::string, float> language() const = 0;
};

} // namespace fovea
