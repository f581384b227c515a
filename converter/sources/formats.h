// The formats a Source can be in: one row of open_source()'s table each.
#pragma once

#include "converter/sources/source.h"

#include <map>

namespace fovea {

/// A folder with config.json, the tokenizer's files and model.safetensors or pytorch_model.bin, or shards of
/// either, listed by model.safetensors.index.json or pytorch_model.bin.index.json.
Source open_hugging_face(const std::string &path);
/// The folder of a .safetensors or PyTorch file, with the weights of that file (of all shards, when it is
/// one).
Source open_weights_file(const std::string &path);
/// Which file of a folder each tensor of a sharded model is in: the text of …index.json at `path`, whose
/// files must be named "….`extension`". Names are hostile: none leads out of the folder.
std::map<std::string, std::string> read_weight_map(std::string_view text, const std::string &path,
                                                   std::string_view extension);

/// A GGUF file of llama.cpp (Llama, Mistral, Qwen2, Qwen3, Gemma 3), or one of several that make a model:
/// tensors under Hugging Face's names and in its order, metadata as a config.json.
Source open_gguf(InputFile file);

/// whisper.cpp's `.bin`: hyperparameters (given as a config.json in Hugging Face's terms), mel filters (as
/// the tensor "mel_filters"), the vocabulary as bytes, f32 and f16 tensors under OpenAI's names.
Source open_whisper_ggml(InputFile file);

} // namespace fovea
