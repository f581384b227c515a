// A speech-to-text model of a few thousand random weights with the real graphs: windows of half a second.
#pragma once

#include "exec/model.h"
#include "graph/host_tensor.h"
#include "support/speech_metadata.h"

#include <functional>

namespace fovea::test {

struct TinySpeechModel {
  bool multilingual = false;
  Encoding cache = Encoding::F32;
  uint32_t seed = 1;
  float end_bias = 0; // added to the end token's embedding along the mean output: > 0 ends sooner
  std::function<void(Metadata &)> edit_metadata;
  std::function<void(std::map<std::string, std::string> &)> edit_graphs; // by name
};

/// Writes the file; returns its path, which the next call with the same seed may overwrite.
std::string write_tiny_speech_model(const std::string &path, const TinySpeechModel &what = {});

} // namespace fovea::test
