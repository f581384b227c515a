// SpeechSpec: what a file's metadata says about a speech-to-text model, checked. A value; pure; any thread.
// read() throws Error InvalidFile naming the file and the key: a missing or malformed entry, an id outside
// the vocabulary, lists of different length, sizes that contradict each other or its graphs.
#pragma once

#include "exec/model.h"

namespace fovea {

struct SpeechSpec {
  // Sound. One window is context_before + window_samples + context_after samples.
  uint32_t sample_rate_hz = 0;
  uint32_t window_samples = 0, hop_samples = 0, context_before = 0, context_after = 0;
  uint32_t n_frames = 0;    // of a window
  uint32_t n_positions = 0; // of the encoder; a time token counts these
  // Decoder.
  uint32_t n_context = 0, n_vocabulary = 0;
  bool multilingual = false;
  // Token ids; kNone when the model has none.
  static constexpr int32_t kNone = -1;
  int32_t start = kNone, end = kNone;
  int32_t translate = kNone, transcribe = kNone, previous = kNone;
  int32_t no_speech = kNone, no_timestamps = kNone, time_begin = kNone;
  std::vector<std::string> languages;   // codes; {"en"} when not multilingual
  std::vector<int32_t> language_tokens; // as many, or none

  static SpeechSpec read(const ModelFile &file);

  bool has_times() const { return time_begin != kNone; }
  /// Past the last time token: one per position and one for the end.
  int32_t time_end() const { return time_begin + int32_t(n_positions) + 1; }
  uint32_t frames_per_position() const { return n_frames / n_positions; }
  double seconds_per_frame() const { return double(hop_samples) / sample_rate_hz; }
  uint32_t input_samples() const { return context_before + window_samples + context_after; }
};

inline constexpr std::string_view kTaskKey = "fovea.task";
inline constexpr std::string_view kTranscribeTask = "transcribe";
/// Absent in the files that SpeechSpec is about; kCtcDecoder in those of CtcSpec.
inline constexpr std::string_view kDecoderKey = "fovea.transcribe.decoder", kCtcDecoder = "ctc";

/// Error InvalidGraph unless the graphs of the contract are there with the inputs, outputs and shapes that
/// `spec` says, for `n_batch` sequences side by side.
void check_speech_graphs(const Model &model, const SpeechSpec &spec, uint64_t n_batch);

} // namespace fovea
