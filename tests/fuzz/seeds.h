// What the fuzz targets begin with: small inputs of each format, made by the tests' own writers. One thread.
#pragma once

#include "converter/model_plan.h"
#include "fuzz/bundle.h"

#include <map>
#include <optional>

namespace fovea::fuzz {

/// Inputs by name.
using Seeds = std::map<std::string, std::string>;

/// Texts of config.json: a tiny model of each architecture.
const std::map<std::string, std::string> &tiny_configs();
/// What one of them asks for; nothing where it cannot say so before it has seen the weights.
std::optional<ModelPlan> tiny_plan(const std::string &config, Encoding encoding);

Seeds flat_file_seeds();
Seeds graph_text_seeds();
Seeds safetensors_seeds();
Seeds gguf_seeds();
Seeds ggml_seeds();
Seeds pytorch_seeds();
Seeds tokenizer_seeds();
Seeds audio_seeds();
Seeds image_seeds();

} // namespace fovea::fuzz
