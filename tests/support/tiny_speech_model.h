// A speech-to-text model of a few thousand random weights with the real graphs: windows of half a second.
#pragma once

#include "support/speech_metadata.h"

#include <functional>

namespace fovea::test {

struct TinySpeechModel {
  bool multilingual = false;
  Encoding cache = Encoding::F32;
  uint32_t seed = 1;
  std::function<void(Metadata &)> edit_metadata;
  std::function<void(std::map<std::string, std::string> &)> edit_graphs; // texts by name
};

void write_tiny_speech_model(const std::string &path, const TinySpeechModel &what = {});

} // namespace fovea::test
