// What the generate task must know of a model besides its graphs: the keys fovea.generate.* (docs/format.md),
// from generation_config.json and config.json, and the tokenizer. Errors: InvalidFile naming file and key.
#pragma once

#include "converter/architectures/causal_decoder.h"

namespace fovea {

void add_generation(const CausalDecoder &decoder, const Source &source, const Config &config,
                    ModelPlan &plan);

} // namespace fovea
