// TokenizerData: what a byte-level BPE tokenizer is made from. Plain data; the task layer fills it from a
// model file's metadata. Nothing here is checked: Tokenizer's constructor does that.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace fovea {

/// The splitting rule that byte-level BPE was introduced with (GPT-2), and what "ByteLevel" means in a
/// tokenizer.json that names no other.
inline constexpr const char *kByteLevelPattern =
    R"('s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+)";

enum class TokenType : uint8_t {
  Normal,  // made by merging bytes
  Special, // control ("<|endoftext|>"): read from text only when allowed, left out of decoded text when asked
  Added,   // added to the vocabulary as a whole, but text: always read from text, never left out
  Unused,  // never encoded; decodes to its text
};

struct TokenizerData {
  std::string source = "tokenizer"; // what Errors name: the model file
  std::vector<std::string> tokens;  // id -> text: in the byte alphabet (see byte_alphabet.h) or raw bytes
  std::vector<TokenType> types;     // as many as `tokens`, or none: all Normal
  bool tokens_are_bytes = false;    // `tokens` hold raw bytes, as in tiktoken and ggml files
  std::vector<std::string>
      merges; // "left right", best first; none: the smaller token id merges first (tiktoken)
  std::string pattern = kByteLevelPattern; // pre-tokenizer: each match is encoded apart. Empty: no splitting
  bool add_prefix_space = false;           // a space goes before text that does not start with one
};

} // namespace fovea
