// Transcriber: speech of any length to text with times, over a model file whose task is "transcribe".
//
// Follows the published procedure of Radford et al., "Robust Speech Recognition via Large-Scale Weak
// Supervision" (section 4.5) and its reference implementation: windows of 30 s whose start follows the
// timestamps that the model writes, fallback to sampling at rising temperatures when a window's text repeats
// itself or is improbable, skipping of windows without speech, earlier text as a prompt. Models that give
// each stretch of sound a token instead (kCtcDecoder) are read off frame by frame, with the times of each
// word; of the options these take `timestamps` and `cancel`, refuse a language, translation, a prompt, a
// temperature and beams, and have no use for the others.
//
// Owns a Session (state, scratch, programs), the tokenizer and the checked metadata. One thread at a time;
// many Transcribers may share a device, a model and its weights. The constructor throws InvalidFile /
// InvalidGraph for a file that is not a complete transcription model (all metadata is checked there) and
// InvalidArgument for options; transcribe() throws InvalidArgument (options, no samples, samples that are not
// finite), Cancelled, what the audio source throws, and what Session::run throws. After an Error it may be
// used again, unless the device is lost. Rejected: sampling in a second session with more sequences (another
// encoder run and more memory; the prompt's cache serves every sample), features of the whole recording in
// memory (a window is computed when it is needed).
#pragma once

#include "audio/audio.h"
#include "exec/session.h"
#include "tasks/profile_row.h"

#include <memory>
#include <optional>

namespace fovea {

/// A recording, mono, that can be read again from its start: the loudest moment of the whole is needed before
/// the first window. transcribe() reads it twice, front to back, and keeps one window in memory.
class AudioSource {
public:
  virtual ~AudioSource() = default;
  /// Back to the first sample.
  virtual void rewind() = 0;
  /// Fills `samples` with the next ones and returns how many; fewer than asked only at the end, then 0.
  virtual size_t read(std::span<float> samples) = 0;
  /// What Errors call the recording.
  virtual std::string name() const = 0;

  /// A file (opened again for the second reading: steady memory), or "-": standard input, whose samples are
  /// kept in memory: 64 KB a second at 16 kHz, at most 24 hours. `rate_hz`: Transcriber::sample_rate_hz().
  static std::unique_ptr<AudioSource> open(const std::string &path, uint32_t rate_hz = kSpeechRateHz);
  /// An encoded file in memory, which must outlive the source.
  static std::unique_ptr<AudioSource> open(std::span<const std::byte> file, std::string name,
                                           uint32_t rate_hz = kSpeechRateHz);
  /// Samples in memory, which must outlive the source.
  static std::unique_ptr<AudioSource> of(std::span<const float> samples, std::string name = "samples");
};

struct TranscriberOptions {
  /// Sequences decoded side by side, 1 … 15; of a CTC model with a language model texts, 1 … 1024. 1: greedy,
  /// without a language model; 0: what the file says, else 1.
  uint32_t n_beams = 0;
  bool timestamps = false;                       // of the GPU, for profile()
  std::function<void(DeviceCaps &)> adjust_caps; // see SessionOptions
};

struct TranscribeOptions {
  std::string language;   // code ("en"); empty: detected in the first window (English-only models: "en")
  bool translate = false; // into English; multilingual models only
  bool timestamps = true; // false: one segment a window
  /// Tried in this order until a window's text passes the two thresholds; 0: greedy or beam search, else
  /// sampling.
  std::vector<float> temperatures = {0.0f, 0.2f, 0.4f, 0.6f, 0.8f, 1.0f};
  std::optional<float> compression_ratio_threshold = 2.4f; // above: repetitive, next temperature
  std::optional<float> logprob_threshold = -1.0f;          // average below: improbable, next temperature
  std::optional<float> no_speech_threshold = 0.6f; // above, and the text improbable: the window is silent
  uint32_t best_of = 5;                            // samples at temperatures above 0; the best is kept
  uint64_t seed = 0;                               // of the sampling; same seed and device, same text
  float patience = 1.0f;               // beam search ends with n_beams x patience finished sequences
  std::optional<float> length_penalty; // exponent of Wu et al. 2016; nothing: average over the length
  bool condition_on_previous_text = true;
  std::string initial_prompt;           // text that might have come before: names, spelling
  float max_initial_timestamp_s = 1.0f; // the first segment of a window starts no later; < 0: no limit
  uint32_t max_tokens_per_window = 0;   // 0: half of the model's context; at most what the context leaves
  const std::atomic<bool> *cancel = nullptr; // looked at between steps
};

struct TranscriptWord {
  double start_s = 0, end_s = 0; // from the start of the recording
  std::string text;              // UTF-8, without spaces
  float probability = 0;         // geometric mean of its tokens'
};

struct TranscriptSegment {
  double start_s = 0, end_s = 0;     // from the start of the recording; never before the previous segment's
  std::string text;                  // UTF-8; as the model writes it, mostly with a leading space
  std::vector<int32_t> tokens;       // text and time ids, in order
  std::vector<TranscriptWord> words; // of models that tell when each was said, else none
  // Of the window that the segment comes from (avg_logprob of the segment, and nothing else, where the model
  // tells words):
  float avg_logprob = 0;       // per token, the end token included
  float compression_ratio = 0; // bytes of text per byte compressed
  float no_speech_prob = 0;    // 0 when the model has no such token
  float temperature = 0;
};

/// Host seconds of each stage; the GPU is waited for within them.
struct TranscribeTimings {
  double peak_s = 0;     // first reading of the recording, decoding the file included
  double features_s = 0; // second reading and log-mel
  double encode_s = 0, prompt_s = 0, decode_s = 0;
  double total_s = 0, audio_s = 0;
  uint64_t n_windows = 0;
  uint64_t n_tokens = 0; // decoded, those of rejected temperatures and beams included once per step
};

struct Transcript {
  std::string language;           // code; "" when the model knows nothing of languages
  float language_probability = 1; // below 1 only when detected; then 0
  std::vector<TranscriptSegment> segments;
  TranscribeTimings timings;
  /// The segments' text joined, without surrounding spaces.
  std::string text() const;
};

struct TranscribeProgress {
  double done_s = 0, total_s = 0; // of the recording
};

/// Called on the thread of transcribe(), between steps. An exception thrown in one ends the transcription.
struct TranscribeCallbacks {
  std::function<void(const TranscriptSegment &)>
      segment; // as soon as it is decided; segments without text are left out
  std::function<void(const TranscribeProgress &)> progress;
  /// Before the first segment; not of a model that knows nothing of languages.
  std::function<void(const std::string &code, float probability)> language;
};

class Listener;
class Transcription;

class Transcriber {
public:
  Transcriber(std::shared_ptr<vk::Device> device, std::shared_ptr<const Model> model,
              std::shared_ptr<const DeviceWeights> weights, const TranscriberOptions &options = {});
  ~Transcriber();
  Transcriber(Transcriber &&) noexcept;
  Transcriber &operator=(Transcriber &&) noexcept;

  /// True when a model's metadata says that its task is this one.
  static bool accepts(const Model &model);

  Transcript transcribe(AudioSource &audio, const TranscribeOptions &options = {},
                        const TranscribeCallbacks &callbacks = {});
  /// samples: mono at sample_rate_hz(), full scale 1.
  Transcript transcribe(std::span<const float> samples, const TranscribeOptions &options = {},
                        const TranscribeCallbacks &callbacks = {});

  /// For a SpeechStream, which is then one with this transcriber: it must not outlive it, and both are used
  /// from one thread at a time. `options` as for transcribe(), which throws the same for them.
  std::unique_ptr<Listener> listen(const TranscribeOptions &options = {});

  uint32_t sample_rate_hz() const; // 16000
  bool multilingual() const;
  /// Codes that TranscribeOptions::language takes; {"en"} for an English-only model, none for one that knows
  /// nothing of languages.
  const std::vector<std::string> &languages() const;
  MemoryUse memory() const;
  /// Most GPU time first; empty unless made with timestamps.
  std::vector<ProfileRow> profile() const;

private:
  std::unique_ptr<Transcription> transcription_;
};

} // namespace fovea
