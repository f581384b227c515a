// What the decoding loop must know of Whisper's vocabulary: special tokens, languages, tokens never to be
// chosen. Ids follow OpenAI's tokenizer.py: end, start, languages, translate, transcribe, start of lm, start
// of previous, no speech, no timestamps, then 1,501 times of 20 ms. Errors: InvalidFile.
#pragma once

#include "converter/model_plan.h"
#include "text/tokenizer_data.h"

namespace fovea::whisper {

struct Tokens {
  int32_t end = -1, start = -1, translate = -1, transcribe = -1, previous = -1, no_speech = -1,
          no_timestamps = -1;
  int32_t time_begin = -1;
  std::vector<std::string> languages; // codes; empty for English-only models
  std::vector<int32_t> language_tokens;
  /// By id: 0 keep, 1 never, 2 not as the first token.
  std::vector<float> suppress;
  bool multilingual() const { return !language_tokens.empty(); }
};

/// Fills in the text of special tokens that `data` leaves unused (a ggml file names none).
Tokens read_tokens(const Source &source, TokenizerData &data);

/// The fovea.transcribe.* keys.
void add_metadata(const Tokens &tokens, ModelPlan &plan);

} // namespace fovea::whisper
