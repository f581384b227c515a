// The vocabulary of a GGUF file of llama.cpp's family, as its metadata has it. Plain data, not checked:
// converter/tokenizers does that.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace fovea {

struct GgufVocabulary {
  std::string model; // tokenizer.ggml.model: "llama" (SentencePiece BPE), "gpt2" (byte-level BPE)
  std::string pre;   // tokenizer.ggml.pre: how "gpt2" splits: "llama-bpe", "qwen2" …
  std::vector<std::string> tokens;
  std::vector<float> scores; // as many, or none
  std::vector<int32_t>
      types; // as many, or none: 1 normal, 2 unknown, 3 control, 4 user defined, 5 unused, 6 byte
  std::vector<std::string> merges;
  int32_t bos = -1, eos = -1, unknown = -1, pad = -1; // -1: not given
  std::optional<bool> add_bos, add_eos, prefix_space;
};

} // namespace fovea
