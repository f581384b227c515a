// Models that come with the tool, by name: "speech-en" is speech-en.fovea.gguf in models/ beside the tool
// (where it was built) or in share/fovea/models (where it is installed).
#pragma once

#include <string>
#include <vector>

namespace tool {

/// `name` itself where it is a file or a path; else the bundled model of that name, or `name` where there is
/// none.
std::string find_model(const std::string &name);

/// Names of the speech models that come with the tool.
std::vector<std::string> bundled_speech_models();

/// `fovea transcribe talk.mp3`: a first argument that is a recording, or the only one and no model, is moved
/// from `model` to the front of `recordings`, and the bundled speech model takes its place, as it does where
/// `model` is empty and a microphone is listened to. UsageError where there is none.
void default_speech_model(std::string &model, std::vector<std::string> &recordings, bool microphone);

} // namespace tool
