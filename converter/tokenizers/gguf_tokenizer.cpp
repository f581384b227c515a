// The tokenizer of a GGUF file: ids equal llama.cpp's.
#include "converter/tokenizers/formats.h"
#include "converter/tokenizers/merges.h"

#include <algorithm>
#include <cmath>

namespace fovea {
namespace {
constexpr const char *kLlama3 =
    R"((?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+)";
constexpr const char *kQwen2 =
    R"((?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+)";

/// How byte-level vocabularies split text, by tokenizer.ggml.pre: one expression after the other.
struct Splitter {
  std::initializer_list<const char *> names;
  std::initializer_list<const char *> patterns;
  bool whole_pieces; // a piece that is a token needs no merging
  bool add_bos;      // where the file does not say
};
const Splitter kSplitters[] = {
    {{"llama-bpe", "llama3", "llama-v3", "falcon3", "pixtral", "lfm2", "midm-2.0"}, {kLlama3}, true, true},
    {{"dbrx", "smaug-bpe", "chatglm-bpe", "seed-coder"}, {kLlama3}, false, false},
    {{"qwen2", "deepseek-r1-qwen", "stablelm2", "hunyuan", "megrez", "kormo"}, {kQwen2}, false, false},
    {{"gpt-2", "phi-2", "mpt", "olmo", "jais", "gpt2", "jina-es", "jina-de", "mellum", "trillion"},
     {kByteLevelPattern},
     false,
     false},
    {{"smollm", "starcoder", "refact", "command-r", "codeshell", "exaone", "minerva-7b"},
     {R"(\p{N})", kByteLevelPattern},
     false,
     false},
    {{"default", ""},
     {R"([\p{P}\$\+<=>\^~\|]+)", R"('s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S))",
      R"(\p{N}+)", "[0-9][0-9][0-9]"},
     false,
     false}};

const Splitter &splitter(const GgufVocabulary &vocabulary, const std::string &path) {
  std::string known;
  for (const Splitter &row : kSplitters)
    for (const char *name : row.names) {
      if (vocabulary.pre == name) return row;
      known += concat(known.empty() ? "" : ", ", name);
    }
  fail(ErrorCode::Unsupported, path, ": tokenizer.ggml.pre is '", printable(vocabulary.pre),
       "' (known: ", known, ")");
}

void add_tokens(TokenizerBuilder &builder, const GgufVocabulary &vocabulary, const std::string &path) {
  if (!vocabulary.types.empty() && vocabulary.types.size() != vocabulary.tokens.size())
    bad_tokenizer(path, "tokenizer.ggml.token_type has ", vocabulary.types.size(), " entries, tokens ",
                  vocabulary.tokens.size());
  for (size_t id = 0; id < std::min(vocabulary.tokens.size(), builder.data.tokens.size()); ++id) {
    const int32_t type = vocabulary.types.empty() ? 1 : vocabulary.types[id];
    if (type == 5) continue;
    builder.set(path, id, vocabulary.tokens[id]);
    AddedToken flags;
    flags.id = int32_t(id);
    if (type == 2 || type == 3 || type == 4) builder.add(flags, vocabulary.tokens[id], type != 4);
  }
}

void sentence_piece(TokenizerData &data, const GgufVocabulary &vocabulary, const std::string &path) {
  if (vocabulary.scores.size() != vocabulary.tokens.size())
    bad_tokenizer(path, "tokenizer.ggml.scores has ", vocabulary.scores.size(), " entries, tokens ",
                  vocabulary.tokens.size());
  for (const float score : vocabulary.scores)
    if (std::isnan(score)) bad_tokenizer(path, "tokenizer.ggml.scores has an entry that is no number");
  const size_t n = std::min(vocabulary.tokens.size(), data.tokens.size());
  data.merges = merges_from_scores(std::span(vocabulary.tokens).first(n), vocabulary.scores);
  if (data.merges.empty()) data.merges.push_back("#version"); // none: not the order of ids
  data.fuse_unknown = data.byte_fallback = true;
  mark_spaces(data, vocabulary.prefix_space.value_or(true));
}
} // namespace

void read_gguf_vocabulary(TokenizerBuilder &builder, const GgufVocabulary &vocabulary) {
  const std::string &path = builder.source.path();
  TokenizerData &data = builder.data;
  add_tokens(builder, vocabulary, path);
  const auto known = [&](int32_t id) { return id >= 0 && size_t(id) < data.tokens.size() ? id : -1; };
  data.special = {known(vocabulary.bos), known(vocabulary.eos), known(vocabulary.unknown),
                  known(vocabulary.pad)};
  bool add_bos = true;
  if (vocabulary.model == "llama") {
    data.unknown = data.special.unk >= 0 ? data.special.unk : known(0);
    sentence_piece(data, vocabulary, path);
  } else if (vocabulary.model == "gpt2") {
    const Splitter &split = splitter(vocabulary, path);
    for (const char *pattern : split.patterns)
      data.pre_tokenizer.push_back(Step("split").set("regex", pattern).set("behavior", "isolated").print());
    data.pre_tokenizer.push_back("byte_level regex=false");
    data.decoder = {"byte_level"};
    data.merges = vocabulary.merges;
    if (data.merges.empty()) bad_tokenizer(path, "tokenizer.ggml.merges is missing or empty");
    data.ignore_merges = split.whole_pieces;
    add_bos = split.add_bos;
  } else {
    fail(ErrorCode::Unsupported, path, ": tokenizer.ggml.model is '", printable(vocabulary.model),
         "' (known: llama, gpt2)");
  }
  set_ends(data, vocabulary.add_bos.value_or(add_bos), vocabulary.add_eos.value_or(false));
}

} // namespace fovea
