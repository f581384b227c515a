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

/// A Whisper-like model of random weights, letters by CTC, the bundled model on a recording of the demo.
std::vector<Voice> voices(const std::string &folder);

/// Every bit of it that does not depend on time: texts, times, tokens, probabilities.
std::string exact(const Transcript &transcript);

/// A device, a model on it and its transcriber.
class Listening {
public:
  Listening(const Voice &voice, const std::string &cache_folder);
  std::string run(const std::atomic<bool> *cancel = nullptr);
  const std::shared_ptr<vk::Device> &device() const { return device_; }

private:
  const Voice &voice_;
  std::shared_ptr<vk::Device> device_;
  std::shared_ptr<const Model> model_;
  Transcriber transcriber_;
};

} // namespace fovea::test
