// What a speech model with a CTC head is shipped with beside its weights: how its feature extractor treats
// sound, and the text of its classes. Pure. Errors: InvalidFile, Unsupported, naming the file and the key.
#pragma once

#include "converter/json.h"
#include "converter/model_plan.h"

namespace fovea {

struct CtcSound {
  uint32_t sample_rate_hz = 16000;
  bool normalize = true;         // a recording is brought to mean 0 and variance 1
  uint64_t hop = 1, context = 1; // samples from position to position; samples that a position sees
  /// Windows of longer recordings, and what each shares with its neighbour on either side, in seconds; 0: as
  /// many positions as the published models' 20 s and 3 s.
  uint32_t window_s = 0, overlap_s = 0;
};

/// From preprocessor_config.json; the defaults of the published feature extractor where it is silent or
/// absent.
CtcSound read_ctc_sound(const Source &source);

/// The keys of the transcription task, and of a language model beside it. A warning and none of them without
/// vocab.json, or when the files name another tokenizer than the one of letters (words of phonemes …): the
/// graphs can then only be run. Returns how many classes of each frame the graph "window" is to give: what a
/// search for words looks at, else 1.
uint32_t add_ctc_metadata(const Source &source, const Config &config, uint32_t vocabulary,
                          const CtcSound &sound, ModelPlan &plan);

} // namespace fovea
