#include "tasks/load_tokenizer.h"

#include "base/error.h"

namespace fovea {
namespace {

constexpr size_t kMaxPatternBytes = 4096; // real ones have about 100

// The numbering of `tokenizer.ggml.token_type`.
TokenType token_type(const ModelFile &file, int32_t value, size_t id) {
  switch (value) {
  case 1: return TokenType::Normal;
  case 3: return TokenType::Special;
  case 4: return TokenType::Added;
  case 5: return TokenType::Unused;
  default:
    fail(ErrorCode::InvalidFile, file.path(), ": tokenizer.ggml.token_type[", id, "] is ", value,
         ", expected 1, 3, 4 or 5");
  }
}

} // namespace

Tokenizer load_tokenizer(const ModelFile &file, uint32_t max_tokens) {
  if (const auto model = file.get_string("tokenizer.ggml.model"); model != "gpt2")
    fail(ErrorCode::InvalidFile, file.path(), ": tokenizer.ggml.model is '", model,
         "', this build knows 'gpt2'");
  const auto tokens = file.get_strings("tokenizer.ggml.tokens");
  if (tokens.empty() || tokens.size() > max_tokens)
    fail(ErrorCode::InvalidFile, file.path(), ": tokenizer.ggml.tokens has ", tokens.size(),
         " entries, expected 1 to ", max_tokens, ", the model's vocabulary");
  const auto types = file.find_i32s("tokenizer.ggml.token_type").value_or(std::vector<int32_t>());
  const auto merges = file.find_strings("tokenizer.ggml.merges").value_or(std::vector<std::string_view>());
  const auto pattern = file.find_string("fovea.tokenizer.pattern").value_or(kByteLevelPattern);
  if (pattern.size() > kMaxPatternBytes)
    fail(ErrorCode::InvalidFile, file.path(), ": fovea.tokenizer.pattern has ", pattern.size(),
         " bytes, at most ", kMaxPatternBytes, " allowed");
  TokenizerData data;
  data.source = file.path();
  data.tokens.assign(tokens.begin(), tokens.end());
  for (size_t id = 0; id < types.size(); ++id) data.types.push_back(token_type(file, types[id], id));
  data.tokens_are_bytes = file.find_bool("fovea.tokenizer.tokens_are_bytes").value_or(false);
  data.merges.assign(merges.begin(), merges.end());
  data.pattern = pattern;
  return Tokenizer(std::move(data)); // which compares the lists' lengths
}

} // namespace fovea
