#include "soak/voice.h"

#include "support/tiny_ctc_model.h"
#include "support/tiny_speech_model.h"

#include <cmath>
#include <cstdio>

namespace fovea::test {
namespace {

vk::DeviceOptions device_options(const std::string &cache_folder) {
  vk::DeviceOptions o;
  o.cache_folder = cache_folder;
  o.tuning = false;
  return o;
}

/// As hexadecimal, to the bit.
std::string bits(double value) {
  char text[40];
  std::snprintf(text, sizeof text, "%a", value);
  return text;
}

Heard heard(const Transcript &transcript) {
  Heard h;
  h.words = transcript.language;
  for (const TranscriptSegment &s : transcript.segments) {
    h.words += concat("|", bits(s.start_s), " ", bits(s.end_s), " ", s.text);
    for (const int32_t token : s.tokens) h.words += concat(" ", token);
    for (const TranscriptWord &w : s.words) {
      h.words += concat(" (", bits(w.start_s), " ", bits(w.end_s), " ", w.text, ")");
      h.scores += concat(" ", bits(w.probability));
    }
    for (const double value : {s.avg_logprob, s.compression_ratio, s.no_speech_prob, s.temperature})
      h.scores += concat(" ", bits(value));
  }
  return h;
}

} // namespace

Voice windows_voice(const std::string &folder) {
  static const std::vector<float> tone = [] {
    std::vector<float> samples(8000);
    for (size_t i = 0; i < samples.size(); ++i) samples[i] = 0.3f * std::sin(float(i) * 0.07f);
    return samples;
  }();
  Voice voice;
  voice.name = "windows";
  voice.model_path = folder + "/windows.gguf";
  write_tiny_speech_model(voice.model_path);
  voice.audio = [] { return AudioSource::of(tone); };
  voice.options.temperatures = {0};
  voice.options.no_speech_threshold.reset();
  voice.options.max_tokens_per_window = 8;
  return voice;
}

Voice letters_voice(const std::string &folder) {
  static const std::vector<float> letters = ctc_sound(ctc_tokens("ABBA CAB"));
  Voice voice;
  voice.name = "letters";
  voice.model_path = folder + "/letters.gguf";
  voice.placement = WeightPlacement::Copy;
  write_tiny_ctc_model(voice.model_path);
  voice.audio = [] { return AudioSource::of(letters); };
  return voice;
}

Voice bundled_voice() {
  Voice voice;
  voice.name = "bundled";
  voice.model_path = FOVEA_SOURCE_DIR "/samples/models/speech-en.fovea.gguf";
  voice.audio = [] { return AudioSource::open(FOVEA_SOURCE_DIR "/samples/audio/hello.flac"); };
  return voice;
}

Listening::Listening(const Voice &voice, std::shared_ptr<vk::Device> device,
                     std::shared_ptr<const Model> model)
    : voice_(voice), device_(std::move(device)), model_(std::move(model)),
      transcriber_(device_, model_, DeviceWeights::load(device_, model_, voice.placement)) {}

Listening::Listening(const Voice &voice, const std::string &cache_folder)
    : Listening(voice, vk::Device::open(device_options(cache_folder)), Model::open(voice.model_path)) {}

Heard Listening::run(const std::atomic<bool> *cancel) {
  TranscribeOptions options = voice_.options;
  options.cancel = cancel;
  const auto audio = voice_.audio();
  return heard(transcriber_.transcribe(*audio, options));
}

} // namespace fovea::test
