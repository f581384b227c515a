// The files that came before tokenizer.json: vocab.json with merges.txt (GPT-2 and its descendants),
// vocab.txt (BERT). They do not say how text is split: that depends on the family.
#include "converter/tokenizers/formats.h"

#include <algorithm>
#include <sstream>

namespace fovea {
namespace {
constexpr const char *kQwenPattern =
    R"((?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+)";
constexpr const char *kClipPattern = R"('s|'t|'re|'ve|'m|'ll|'d|[\p{L}]+|[\p{N}]|[^\s\p{L}\p{N}]+)";

void read_merges_txt(TokenizerBuilder &builder) {
  const auto text = builder.source.text("merges.txt");
  if (!text) fail(ErrorCode::NotFound, builder.source.text_path("merges.txt"), ": vocab.json needs it");
  std::istringstream lines(*text);
  for (std::string line; std::getline(lines, line);) {
    if (!line.empty() && line.back() == '\r') line.pop_back();
    if (!line.empty() && !line.starts_with("#version")) builder.data.merges.push_back(line);
  }
}

void read_added_tokens(TokenizerBuilder &builder) {
  const auto text = builder.source.text("added_tokens.json");
  if (!text) return;
  const std::string path = builder.source.text_path("added_tokens.json");
  const KeptJson kept = parse_json(*text, path);
  const Json &added = kept;
  if (!added.is_object()) bad_tokenizer(path, "expected an object of tokens and ids");
  for (const auto &[token, id] : added.items()) {
    if (!id.is_number_unsigned()) bad_tokenizer(path, "token '", printable(token), "' has no id");
    if (id.get<uint64_t>() >= builder.data.tokens.size()) continue;
    builder.add({id.get<int32_t>()}, token, true);
  }
}

/// Marks a token of the vocabulary as special; -1 when there is none.
int32_t special(TokenizerBuilder &builder, const char *text, bool strip_left = false) {
  const int32_t id = builder.find(text);
  if (id >= 0) builder.add({id, strip_left}, text, true);
  return id;
}

void dress_clip(TokenizerBuilder &builder) {
  TokenizerData &data = builder.data;
  const int32_t bos = special(builder, "<|startoftext|>"), eos = special(builder, "<|endoftext|>");
  if (bos < 0 || eos < 0)
    fail(ErrorCode::Unsupported, data.source,
         ": vocab.json has tokens with '</w>' but no <|startoftext|>: give the "
         "tokenizer.json (save the tokenizer again with save_pretrained)");
  data.word_suffix = "</w>";
  data.unknown = eos;
  data.special.bos = bos;
  data.special.eos = eos;
  data.normalizer = {"nfc", R"(replace regex="\\s+" with=" ")", "lowercase"};
  data.pre_tokenizer = {
      Step("split").set("regex", kClipPattern).set("behavior", "removed").set("invert", true).print(),
      "byte_level"};
  data.single = {{bos, 0}, {TemplatePiece::kFirst, 0}, {eos, 0}};
  data.pair = {{bos, 0}, {TemplatePiece::kFirst, 0},  {eos, 0},
               {eos, 0}, {TemplatePiece::kSecond, 0}, {eos, 0}};
}

void dress_roberta(TokenizerBuilder &builder) {
  TokenizerData &data = builder.data;
  const int32_t bos = special(builder, "<s>"), eos = special(builder, "</s>");
  data.special = {bos, eos, special(builder, "<unk>"),       special(builder, "<pad>"),
                  bos, eos, special(builder, "<mask>", true)};
  data.single = {{bos, 0}, {TemplatePiece::kFirst, 0}, {eos, 0}};
  data.pair = {{bos, 0}, {TemplatePiece::kFirst, 0},  {eos, 0},
               {eos, 0}, {TemplatePiece::kSecond, 0}, {eos, 0}};
}

/// Whether any token but those in brackets has a capital letter: then the vocabulary is cased.
bool is_cased(const TokenizerData &data) {
  return std::any_of(data.tokens.begin(), data.tokens.end(), [](const std::string &token) {
    return !token.starts_with("[") &&
           std::any_of(token.begin(), token.end(), [](char c) { return c >= 'A' && c <= 'Z'; });
  });
}

void dress_bert(TokenizerBuilder &builder) {
  TokenizerData &data = builder.data;
  data.model = TokenModelKind::WordPiece;
  data.normalizer = {"clean_text", "space_ideographs"};
  if (!is_cased(data))
    data.normalizer.insert(data.normalizer.end(), {"nfd", "strip_nonspacing", "lowercase"});
  const bool has_continuations =
      std::any_of(data.tokens.begin(), data.tokens.end(),
                  [](const std::string &token) { return token.starts_with("##"); });
  if (has_continuations) {
    data.continuation_prefix = "##";
    data.pre_tokenizer = {"whitespace_split", "punctuation behavior=isolated"};
  } else { // symbols of a formal language: the longest first, wherever they stand
    data.normalizer = {"clean_text"};
    data.pre_tokenizer = {"whitespace_split"};
    data.max_word_characters = 10'000;
  }
  data.decoder = {Step("word_piece").set("prefix", data.continuation_prefix).set("cleanup", true).print()};
}
} // namespace

void read_vocab_json(TokenizerBuilder &builder) {
  const std::string path = builder.source.text_path("vocab.json");
  const KeptJson kept = parse_json(*builder.source.text("vocab.json"), path);
  const Json &vocab = kept;
  if (!vocab.is_object()) bad_tokenizer(path, "expected an object of tokens and ids");
  for (const auto &[token, id] : vocab.items()) builder.set(path, id, token);
  read_merges_txt(builder);
  read_added_tokens(builder);
  TokenizerData &data = builder.data;
  data.pre_tokenizer = data.decoder = {"byte_level"};
  const KeptJson kept_config = json_of(builder.source, "tokenizer_config.json");
  const Json &config = kept_config;
  const std::string family = model_type_of(builder.source);
  const std::string made_by = config.contains("tokenizer_class") && config["tokenizer_class"].is_string()
                                  ? config["tokenizer_class"]
                                  : "";
  const auto ends_word = [](const std::string &token) { return token.size() > 4 && token.ends_with("</w>"); };
  if (std::count_if(data.tokens.begin(), data.tokens.end(), ends_word) * 10 > int64_t(data.tokens.size())) {
    dress_clip(builder);
  } else if (made_by.starts_with("Qwen2") || (made_by.empty() && family.starts_with("qwen"))) {
    data.normalizer = {"nfc"};
    data.pre_tokenizer = {Step("split").set("regex", kQwenPattern).set("behavior", "isolated").print(),
                          "byte_level regex=false"};
  } else if (builder.find("<s>") >= 0 && builder.find("</s>") >= 0 && builder.find("<mask>") >= 0) {
    dress_roberta(builder);
  } else if (const int32_t end = special(builder, "<|endoftext|>"); end >= 0) {
    data.special.bos = data.special.eos = end;
  }
}

void read_vocab_txt(TokenizerBuilder &builder) {
  TokenizerData &data = builder.data;
  const std::string path = builder.source.text_path("vocab.txt");
  std::istringstream lines(*builder.source.text("vocab.txt"));
  size_t id = 0;
  for (std::string line; std::getline(lines, line); ++id) {
    if (!line.empty() && line.back() == '\r') line.pop_back();
    builder.set(path, id, line);
  }
  read_added_tokens(builder);
  dress_bert(builder);
  data.unknown = special(builder, "[UNK]");
  const int32_t cls = special(builder, "[CLS]"), sep = special(builder, "[SEP]");
  data.special = {-1, -1, data.unknown, special(builder, "[PAD]"), cls, sep, special(builder, "[MASK]")};
  if (cls < 0 || sep < 0) return;
  data.single = {{cls, 0}, {TemplatePiece::kFirst, 0}, {sep, 0}};
  data.pair = {{cls, 0}, {TemplatePiece::kFirst, 0}, {sep, 0}, {TemplatePiece::kSecond, 1}, {sep, 1}};
}

} // namespace fovea
