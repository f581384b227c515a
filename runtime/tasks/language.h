// Which language is spoken, from the logits after the start token. Pure; any thread.
#pragma once

#include "tasks/speech_spec.h"

#include <span>

namespace fovea {

struct LanguageGuess {
  size_t index = 0;      // into SpeechSpec::languages
  float probability = 1; // among the languages
};

/// logits [V]. spec.language_tokens must not be empty.
LanguageGuess detect_language(const SpeechSpec &spec, std::span<const float> logits);

/// The index of a code as users write it ("de", "DE"). Error InvalidArgument that lists the model's
/// languages.
size_t find_language(const SpeechSpec &spec, std::string_view code);

} // namespace fovea
