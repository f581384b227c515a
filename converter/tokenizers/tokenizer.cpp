#include "converter/tokenizers/tokenizer.h"

#include "converter/tokenizers/formats.h"
#include "text/byte_alphabet.h"

#include <algorithm>

namespace fovea {
namespace {
// Raw bytes in id order; the smaller id merges first.
void read_embedded(TokenizerBuilder &builder) {
  const auto &tokens = builder.source.vocabulary();
  for (size_t id = 0; id < std::min(tokens.size(), builder.data.tokens.size()); ++id) {
    for (const char byte : tokens[id]) append_byte_alphabet(builder.data.tokens[id], uint8_t(byte));
    builder.data.types[id] = TokenType::Normal;
  }
  builder.data.pre_tokenizer = builder.data.decoder = {"byte_level"};
}

const char *sentence_piece_file(const Source &source) {
  for (const char *name : {"tokenizer.model", "spiece.model"})
    if (source.text(name)) return name;
  return nullptr;
}
} // namespace

void TokenizerBuilder::set(const std::string &path, const Json &id, const std::string &token) {
  if (!id.is_number_unsigned()) bad_tokenizer(path, "token '", printable(token), "' has no id");
  if (id.get<uint64_t>() >= data.tokens.size()) return;
  const auto index = id.get<size_t>();
  data.tokens[index] = token;
  data.types[index] = TokenType::Normal;
}

void TokenizerBuilder::add(const AddedToken &token, std::string text, bool special) {
  const auto id = size_t(token.id);
  if (id >= data.tokens.size()) return;
  AddedToken kept = token;
  kept.outside_model = data.types[id] == TokenType::Unused;
  data.tokens[id] = std::move(text);
  data.types[id] = special ? TokenType::Special : TokenType::Added;
  if (kept.strip_left || kept.strip_right || kept.single_word || kept.normalized || kept.outside_model)
    data.added.push_back(kept);
}

int32_t TokenizerBuilder::find(std::string_view text) const { return find_token(data, text); }

std::optional<TokenizerData> read_tokenizer(const Source &source, uint32_t vocabulary) {
  source.check_vocabulary(vocabulary);
  TokenizerBuilder builder(source, vocabulary);
  if (const auto text = source.text("tokenizer.json"))
    read_tokenizer_json(builder, *text, source.text_path("tokenizer.json"));
  else if (source.gguf_vocabulary())
    read_gguf_vocabulary(builder, *source.gguf_vocabulary());
  else if (source.text("source.spm") && source.text("vocab.json"))
    read_separate_vocabulary(builder);
  else if (source.text("vocab.json"))
    read_vocab_json(builder);
  else if (source.text("vocab.txt"))
    read_vocab_txt(builder);
  else if (const char *file = sentence_piece_file(source))
    read_sentence_piece(builder, file);
  else if (!source.vocabulary().empty())
    read_embedded(builder);
  else
    return {};
  read_tokenizer_config(builder);
  TokenizerData &data = builder.data;
  for (size_t id = 0; id < data.tokens.size(); ++id)
    if (data.tokens[id].empty() && data.types[id] == TokenType::Unused)
      data.tokens[id] = concat("<|unused_", id, "|>");
  return std::move(data);
}

void warn_no_tokenizer(const Source &source, std::string_view consequence, ModelPlan &plan) {
  plan.warn(source.path(), ": has no tokenizer (tokenizer.json, vocab.json with merges.txt, vocab.txt, ",
            "tokenizer.model or spiece.model); ", consequence);
}

std::optional<TokenizerData> add_tokenizer(const Source &source, uint32_t vocabulary,
                                           std::string_view consequence, ModelPlan &plan) {
  auto tokenizer = read_tokenizer(source, vocabulary);
  if (tokenizer)
    add_tokenizer_metadata(*tokenizer, plan);
  else
    warn_no_tokenizer(source, consequence, plan);
  return tokenizer;
}

int32_t find_token(const TokenizerData &data, std::string_view text) {
  const auto it = std::find(data.tokens.begin(), data.tokens.end(), text);
  return it == data.tokens.end() ? -1 : int32_t(it - data.tokens.begin());
}

} // namespace fovea
