// What the tests of transcription share: a tiny random model, and real weights
// (../shared/models/whisper-tiny.en).
#pragma once

#include "models/golden.h"
#include "support/temp_folder.h"
#include "support/tiny_speech_model.h"

#include "tasks/transcribe.h"

namespace fovea::test {

/// A gliding tone that swells and fades, 16 kHz.
std::vector<float> sound(double seconds, uint32_t seed = 1);

/// A small model in a folder of its own, written by `write`, on the device.
template <class What, auto write> struct TinyModel {
  explicit TinyModel(const What &what = {}) {
    write(folder / "tiny.gguf", what);
    model = Model::open(folder / "tiny.gguf");
    weights = DeviceWeights::load(test_device(), model);
  }
  Transcriber transcriber(uint32_t n_beams = 1) const {
    TranscriberOptions options;
    options.n_beams = n_beams;
    return Transcriber(test_device(), model, weights, options);
  }
  TempFolder folder;
  std::shared_ptr<const Model> model;
  std::shared_ptr<const DeviceWeights> weights;
};
using Tiny = TinyModel<TinySpeechModel, write_tiny_speech_model>;

std::vector<int32_t> all_tokens(const Transcript &t);

Transcriber real_transcriber(const std::string &folder, Encoding encoding, uint32_t n_beams = 1,
                             bool pure = false);

/// Greedy, once; nothing counts as silence.
TranscribeOptions plain();

/// As the reference was run: greedy, once, to the end of the context.
TranscribeOptions as_reference(bool timestamps);

/// Words to add, remove or replace (Levenshtein) to get from one text to the other; adds the words of `want`
/// to `n_words`. Markers of time (<|1.20|>) are no words.
size_t n_words_differ(const std::string &got, const std::string &want, size_t &n_words);

} // namespace fovea::test
