// How a model's publisher wants text to be generated: of generation_config.json, else of config.json, as
// metadata under a task's prefix (docs/format.md). Errors: InvalidFile (of the wrong type, a token outside
// the vocabulary), Unsupported (an option that would change what comes out and that this build does not
// have).
#pragma once

#include "converter/json.h"
#include "converter/model_plan.h"

namespace fovea {

struct GenerationLimits {
  uint32_t vocabulary = 0;
  uint32_t positions = 0; // most tokens of a sequence; 0: no limit
};

/// Adds fovea.translate.*, and fovea.translate.task.NAME.* of each of config's task_specific_params; and the
/// tokenizer, or a warning of what will not work `without_tokenizer`.
void add_generation_metadata(const Source &source, const Config &config, GenerationLimits limits,
                             std::string_view without_tokenizer, ModelPlan &plan);

} // namespace fovea
