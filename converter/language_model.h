// A language model of words beside a speech model: an ARPA file (D. Paul and J. Baker, 1992; written by
// SRILM, KenLM and others) in the source's folder language_model/, with the settings that pyctcdecode puts
// there in attrs.json. Pure but for reading. Errors: InvalidFile naming file and line, Unsupported.
#pragma once

#include "converter/model_plan.h"

namespace fovea {

/// Adds the keys of docs/format.md (fovea.ngram) when the source has a model in a readable form and `tokens`
/// can write its words; else none, with a warning unless there is nothing at all. Returns whether it has
/// added them. <s>, </s> and <unk> are left out: windows of sound begin and end anywhere.
bool add_language_model(const Source &source, const std::vector<std::string> &tokens, ModelPlan &plan);

} // namespace fovea
