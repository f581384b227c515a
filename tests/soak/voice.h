// What the soak says to Fovea, and what listens: models small enough for a fault a second, and the speech
// model that comes with the tool. One thread at a time.
#pragma once

#include "tasks/transcribe.h"
#include "vk/device.h"

#include <functional>

namespace fovea::test {

struct Voice {
  std::string name, model_path;
  std::function<std::unique_ptr<AudioSource>()> audio;
  TranscribeOptions options;
  WeightPlacement placement = WeightPlacement::Automatic;
};

/// A Whisper-like model of random weights, written to `folder`.
Voice windows_voice(const std::string &folder);
/// Letters by CTC, with weights copied.
Voice letters_voice(const std::string &folder);
/// The bundled model on a recording of the demo.
Voice bundled_voice();

/// What was heard, to the bit.
struct Heard {
  std::string words, scores; // texts, times and tokens; probabilities
  friend bool operator==(const Heard &, const Heard &) = default;
};

/// A device, a model on it and its transcriber. `voice` must outlive it.
class Listening {
public:
  Listening(const Voice &voice, std::shared_ptr<vk::Device> device, std::shared_ptr<const Model> model);
  /// With a device of its own.
  Listening(const Voice &voice, const std::string &cache_folder);
  Heard run(const std::atomic<bool> *cancel = nullptr);
  const std::shared_ptr<vk::Device> &device() const { return device_; }

private:
  const Voice &voice_;
  std::shared_ptr<vk::Device> device_;
  std::shared_ptr<const Model> model_;
  Transcriber transcriber_;
};

} // namespace fovea::test
