// A tokenizer as metadata of the flat file (docs/format.md).
#include "converter/tokenizers/tokenizer.h"

#include <algorithm>

namespace fovea {
namespace {
// As GGUF numbers them.
int32_t type_number(TokenType type) {
  switch (type) {
  case TokenType::Normal: return 1;
  case TokenType::Special: return 3;
  case TokenType::Added: return 4;
  case TokenType::Unused: return 5;
  }
  return 1;
}

std::vector<int32_t> template_numbers(const std::vector<TemplatePiece> &pieces) {
  std::vector<int32_t> out;
  for (const TemplatePiece &piece : pieces) {
    out.push_back(piece.what);
    out.push_back(piece.type);
  }
  return out;
}
} // namespace

void add_tokenizer_metadata(const TokenizerData &data, ModelPlan &plan) {
  constexpr const char *kGgufNames[] = {"gpt2", "t5", "bert", "none"}; // what viewers know
  constexpr const char *kNames[] = {"bpe", "unigram", "wordpiece", "wordlevel"};
  const bool spaces_marked = data.model == TokenModelKind::BytePairs && data.byte_fallback;
  plan.add("tokenizer.ggml.model", std::string(spaces_marked ? "llama" : kGgufNames[size_t(data.model)]));
  plan.add("tokenizer.ggml.tokens", data.tokens);
  std::vector<int32_t> types;
  for (const TokenType type : data.types) types.push_back(type_number(type));
  if (!types.empty()) plan.add("tokenizer.ggml.token_type", std::move(types));
  if (!data.merges.empty()) plan.add("tokenizer.ggml.merges", data.merges);
  if (!data.scores.empty()) {
    std::vector<float> scores(data.scores.begin(), data.scores.end());
    const auto differs = [](double exact, float rounded) { return exact != double(rounded); };
    if (!std::equal(data.scores.begin(), data.scores.end(), scores.begin(), std::not_fn(differs)))
      plan.add("fovea.tokenizer.scores", data.scores);
    plan.add("tokenizer.ggml.scores", std::move(scores));
  }
  if (!data.unknown_pieces.empty()) {
    plan.add("fovea.tokenizer.unknown_pieces", data.unknown_pieces);
    plan.add("fovea.tokenizer.unknown_scores", data.unknown_scores);
  }
  const std::pair<const char *, int32_t> ids[] = {
      {"bos", data.special.bos},       {"eos", data.special.eos}, {"unknown", data.special.unk},
      {"seperator", data.special.sep}, // as GGUF spells it
      {"padding", data.special.pad},   {"cls", data.special.cls}, {"mask", data.special.mask}};
  for (const auto &[name, id] : ids)
    if (id >= 0) plan.add(concat("tokenizer.ggml.", name, "_token_id"), uint32_t(id));
  if (!data.charsmap.empty())
    plan.add("tokenizer.ggml.precompiled_charsmap",
             std::vector<uint8_t>(data.charsmap.begin(), data.charsmap.end()));

  plan.add("fovea.tokenizer.model", std::string(kNames[size_t(data.model)]));
  plan.add("fovea.tokenizer.normalizer", data.normalizer);
  plan.add("fovea.tokenizer.pre_tokenizer", data.pre_tokenizer);
  plan.add("fovea.tokenizer.decoder", data.decoder);
  plan.add("fovea.tokenizer.single", template_numbers(data.single));
  plan.add("fovea.tokenizer.pair", template_numbers(data.pair));
  if (data.unknown >= 0) plan.add("fovea.tokenizer.unknown", data.unknown);
  if (data.fuse_unknown) plan.add("fovea.tokenizer.fuse_unknown", true);
  if (data.byte_fallback) plan.add("fovea.tokenizer.byte_fallback", true);
  if (data.ignore_merges) plan.add("fovea.tokenizer.ignore_merges", true);
  if (!data.continuation_prefix.empty())
    plan.add("fovea.tokenizer.continuation_prefix", data.continuation_prefix);
  if (!data.word_suffix.empty()) plan.add("fovea.tokenizer.word_suffix", data.word_suffix);
  if (data.model == TokenModelKind::WordPiece)
    plan.add("fovea.tokenizer.max_word_characters", data.max_word_characters);
  std::vector<int32_t> added;
  for (const AddedToken &token : data.added) {
    added.push_back(token.id);
    added.push_back(token.strip_left | token.strip_right << 1 | token.single_word << 2 |
                    token.normalized << 3 | token.outside_model << 4);
  }
  if (!added.empty()) plan.add("fovea.tokenizer.added", std::move(added));
}

} // namespace fovea
