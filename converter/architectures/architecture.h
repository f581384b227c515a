// The architectures that the converter knows: one file each in this folder, one row each in architecture.cpp.
#pragma once

#include "converter/model_plan.h"

namespace fovea {

struct Architecture {
  const char *name; // "whisper"
  /// What config.json may call it ("model_type"); unused places are null.
  const char *model_types[4];
  /// `encoding`: what matrices will be stored as; caches follow it.
  /// Errors: InvalidFile (a configuration that contradicts itself), Unsupported (a variant this build cannot
  /// run).
  ModelPlan (*build)(const Source &source, Encoding encoding);
};

std::span<const Architecture> architectures();
/// By model_type. Error Unsupported that lists the accepted ones.
const Architecture &find_architecture(const Source &source);
/// What the source becomes. Errors as build()'s; InvalidFile also when more layers are announced than there
/// are tensors, before anything is made of them.
ModelPlan plan_model(const Source &source, Encoding encoding);
/// "model_type" of config.json; empty when there is none.
std::string model_type(const Source &source);

} // namespace fovea
