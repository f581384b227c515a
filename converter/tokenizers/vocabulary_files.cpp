// The files that came before tokenizer.json: vocab.json with merges.txt (GPT-2), vocab.txt (BERT).
#include "converter/tokenizers/formats.h"

#include <sstream>

namespace fovea {
namespace {
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
  const Json added = parse_json(*text, path);
  if (!added.is_object()) bad_tokenizer(path, "expected an object of tokens and ids");
  for (const auto &[token, id] : added.items()) {
    if (!id.is_number_unsigned()) bad_tokenizer(path, "token '", printable(token), "' has no id");
    if (id.get<uint64_t>() >= builder.data.tokens.size()) continue;
    AddedToken flags;
    flags.id = id.get<int32_t>();
    builder.add(flags, token, true);
  }
}
} // namespace

void read_vocab_json(TokenizerBuilder &builder) {
  const std::string path = builder.source.text_path("vocab.json");
  const Json vocab = parse_json(*builder.source.text("vocab.json"), path);
  if (!vocab.is_object()) bad_tokenizer(path, "expected an object of tokens and ids");
  for (const auto &[token, id] : vocab.items()) builder.set(path, id, token);
  read_merges_txt(builder);
  read_added_tokens(builder);
  builder.data.pre_tokenizer = builder.data.decoder = {"byte_level"};
}

void read_vocab_txt(TokenizerBuilder &builder) {
  TokenizerData &data = builder.data;
  std::istringstream lines(*builder.source.text("vocab.txt"));
  size_t id = 0;
  for (std::string line; std::getline(lines, line); ++id) {
    if (!line.empty() && line.back() == '\r') line.pop_back();
    builder.set(builder.source.text_path("vocab.txt"), id, line);
  }
  read_added_tokens(builder);
  data.model = TokenModelKind::WordPiece;
  data.continuation_prefix = "##";
  data.unknown = builder.find("[UNK]");
  data.normalizer = {"clean_text", "space_ideographs", "nfd", "strip_nonspacing", "lowercase"};
  data.pre_tokenizer = {"whitespace_split", "punctuation behavior=isolated"};
  data.decoder = {"word_piece prefix=\"##\" cleanup=true"};
  for (const char *token : {"[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"})
    if (const int32_t found = builder.find(token); found >= 0) {
      AddedToken flags;
      flags.id = found;
      builder.add(flags, token, true);
    }
  const int32_t cls = builder.find("[CLS]"), sep = builder.find("[SEP]");
  if (cls < 0 || sep < 0) return;
  data.single = {{cls, 0}, {TemplatePiece::kFirst, 0}, {sep, 0}};
  data.pair = {{cls, 0}, {TemplatePiece::kFirst, 0}, {sep, 0}, {TemplatePiece::kSecond, 1}, {sep, 1}};
}

} // namespace fovea
