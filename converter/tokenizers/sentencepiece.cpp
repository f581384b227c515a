// SentencePiece models as tokenizers, in the forms that the reference implementation gives them.
#include "converter/tokenizers/sentencepiece_file.h"

#include "converter/tokenizers/formats.h"
#include "converter/tokenizers/merges.h"

#include <algorithm>
#include <cmath>
#include <unordered_map>

namespace fovea {
namespace {
using Type = SentencePieceFile::Type;

constexpr const char *kMark = "\xE2\x96\x81"; // U+2581
// Models whose ids are not the pieces' numbers: their tokenizer.json says which are.
constexpr const char *kShifted[] = {"xlm-roberta", "xlm-roberta-xl",  "mbart",    "camembert",
                                    "barthez",     "m2m_100",         "nllb-moe", "pegasus",
                                    "plbart",      "bigbird_pegasus", "xlnet",    "speech_to_text"};
constexpr const char *kSentinels[] = {"t5", "longt5", "switch_transformers"};
constexpr int32_t kSentinelCount = 100;

template <size_t n> bool is_one_of(const std::string &name, const char *const (&names)[n]) {
  return std::find(std::begin(names), std::end(names), name) != std::end(names);
}

SentencePieceFile parse(const Source &source, const char *name) {
  SentencePieceFile file = parse_sentence_piece(*source.text(name), source.text_path(name));
  for (const auto &piece : file.pieces)
    if (!std::isfinite(piece.score)) bad_tokenizer(source.text_path(name), "a piece's score is not a number");
  return file;
}

std::string metaspace() { return Step("metaspace").set("mark", kMark).set("prepend", "always").print(); }

void add_pieces(TokenizerBuilder &builder, const SentencePieceFile &file, const std::string &path) {
  TokenizerData &data = builder.data;
  for (size_t id = 0; id < file.pieces.size(); ++id) builder.set(path, id, file.pieces[id].text);
  for (size_t id = 0; id < std::min(file.pieces.size(), data.tokens.size()); ++id) {
    const Type type = file.pieces[id].type;
    AddedToken flags;
    flags.id = int32_t(id);
    if (type == Type::Control || type == Type::UserDefined || type == Type::Unknown)
      builder.add(flags, file.pieces[id].text, type != Type::UserDefined);
  }
  const auto known = [&](int32_t id) { return id >= 0 && size_t(id) < data.tokens.size() ? id : -1; };
  data.unknown = known(file.unknown);
  data.special = {known(file.bos), known(file.eos), data.unknown, known(file.pad)};
}

void byte_pairs(TokenizerData &data, const SentencePieceFile &file) {
  const size_t n = std::min(file.pieces.size(), data.tokens.size());
  std::vector<float> scores;
  for (size_t id = 0; id < n; ++id) scores.push_back(file.pieces[id].score);
  data.model = TokenModelKind::BytePairs;
  data.merges = merges_from_scores(std::span(data.tokens).first(n), scores);
  if (data.merges.empty()) data.merges.push_back("#version"); // none: not the order of ids
  data.fuse_unknown = true;
  data.byte_fallback = file.byte_fallback;
  mark_spaces(data, file.prefix_space);
  // Who has no say in tokenizer_config.json has the beginning marked, as when the models were trained.
  if (data.special.bos >= 0) {
    data.single.insert(data.single.begin(), {data.special.bos, 0});
    data.pair = {{data.special.bos, 0},
                 {TemplatePiece::kFirst, 0},
                 {data.special.bos, 1},
                 {TemplatePiece::kSecond, 1}};
  }
}

void unigram(TokenizerData &data, const SentencePieceFile &file) {
  data.model = TokenModelKind::Unigram;
  data.scores.assign(data.tokens.size(), 0);
  for (size_t id = 0; id < std::min(file.pieces.size(), data.tokens.size()); ++id)
    data.scores[id] = file.pieces[id].score;
  data.byte_fallback = file.byte_fallback;
  data.charsmap = file.charsmap;
  data.pre_tokenizer = data.decoder = {metaspace()};
}

void add_precompiled(TokenizerData &data) {
  if (!data.charsmap.empty()) data.normalizer.push_back("precompiled");
}

// <extra_id_99> … <extra_id_0> in the rows behind the pieces.
void add_sentinels(TokenizerBuilder &builder, size_t first) {
  for (int32_t i = 0; i < kSentinelCount; ++i) {
    const std::string name = concat("<extra_id_", i, ">");
    AddedToken flags;
    flags.id = int32_t(first) + kSentinelCount - 1 - i;
    if (builder.find(name) < 0) builder.add(flags, name, true);
  }
}

void dress_t5(TokenizerBuilder &builder, size_t n_pieces, bool sentinels) {
  TokenizerData &data = builder.data;
  add_precompiled(data);
  data.pre_tokenizer = {"whitespace_split", metaspace()};
  if (sentinels) add_sentinels(builder, n_pieces);
  const int32_t eos = data.special.eos;
  if (eos < 0) return;
  data.single = {{TemplatePiece::kFirst, 0}, {eos, 0}};
  data.pair = {{TemplatePiece::kFirst, 0}, {eos, 0}, {TemplatePiece::kSecond, 0}, {eos, 0}};
}

void dress_albert(TokenizerBuilder &builder, const SentencePieceFile &file, const Json &config) {
  TokenizerData &data = builder.data;
  const auto flag = [&](const char *key, bool if_absent) {
    return config.contains(key) && config[key].is_boolean() ? config[key].get<bool>() : if_absent;
  };
  data.normalizer = {R"(replace text="``" with="\"")", R"(replace text="''" with="\"")"};
  if (!flag("keep_accents", false)) data.normalizer.insert(data.normalizer.end(), {"nfkd", "strip_accents"});
  if (flag("do_lower_case", true)) data.normalizer.push_back("lowercase");
  add_precompiled(data);
  data.normalizer.push_back(R"(replace regex=" {2,}" with=" ")");
  for (size_t id = 0; id < std::min(file.pieces.size(), data.tokens.size());
       ++id) { // "9," was not to be learned
    const std::string &text = file.pieces[id].text;
    if (text.size() >= 2 && text.back() == ',' && text[text.size() - 2] >= '0' &&
        text[text.size() - 2] <= '9')
      data.scores[id] -= 100;
  }
  const int32_t cls = builder.find("[CLS]"), sep = builder.find("[SEP]");
  if (cls < 0 || sep < 0) return;
  data.special.bos = data.special.cls = cls;
  data.special.eos = data.special.sep = sep;
  data.single = {{cls, 0}, {TemplatePiece::kFirst, 0}, {sep, 0}};
  data.pair = {{cls, 0}, {TemplatePiece::kFirst, 0}, {sep, 0}, {TemplatePiece::kSecond, 1}, {sep, 1}};
}
} // namespace

void mark_spaces(TokenizerData &data, bool prefix_space) {
  const std::string to_mark = Step("replace").set("text", " ").set("with", kMark).print();
  const std::string to_space = Step("replace").set("text", kMark).set("with", " ").print();
  data.normalizer = {to_mark};
  data.decoder = {to_space, "byte_fallback", "fuse"};
  if (!prefix_space) return;
  data.normalizer.insert(data.normalizer.begin(), Step("prepend").set("text", kMark).print());
  data.decoder.push_back(Step("strip").set("text", " ").set("left", "1").set("right", "0").print());
}

void read_sentence_piece(TokenizerBuilder &builder, const char *name) {
  const std::string path = builder.source.text_path(name), family = model_type_of(builder.source);
  if (is_one_of(family, kShifted))
    fail(ErrorCode::Unsupported, path, ": ids of ", family,
         " models are not those of this file; tokenizer.json has them (save the tokenizer again with "
         "save_pretrained)");
  const SentencePieceFile file = parse(builder.source, name);
  add_pieces(builder, file, path);
  TokenizerData &data = builder.data;
  if (file.model == 2) return byte_pairs(data, file);
  if (file.model != 1)
    fail(ErrorCode::Unsupported, path, ": a SentencePiece model of type ", file.model,
         " (known: 1 Unigram, 2 BPE)");
  unigram(data, file);
  if (is_one_of(family, kSentinels)) return dress_t5(builder, file.pieces.size(), true);
  if (family == "mt5" || family == "umt5") return dress_t5(builder, file.pieces.size(), false);
  if (family == "albert")
    return dress_albert(builder, file, json_of(builder.source, "tokenizer_config.json"));
  add_precompiled(data);
  data.normalizer.insert(
      data.normalizer.end(),
      {"strip left=false right=true", Step("replace").set("regex", " {2,}").set("with", kMark).print()});
}

void read_separate_vocabulary(TokenizerBuilder &builder) {
  const Source &source = builder.source;
  const std::string path = source.text_path("vocab.json");
  const KeptJson kept = parse_json(*source.text("vocab.json"), path);
  const Json &vocab = kept;
  if (!vocab.is_object()) bad_tokenizer(path, "expected an object of tokens and ids");
  for (const auto &[token, id] : vocab.items()) builder.set(path, id, token);
  const SentencePieceFile file = parse(source, "source.spm");
  if (file.model != 1)
    fail(ErrorCode::Unsupported, source.text_path("source.spm"), ": a SentencePiece model of type ",
         file.model, " beside a vocab.json (known: 1 Unigram)");

  TokenizerData &data = builder.data;
  data.model = TokenModelKind::Unigram;
  data.scores.assign(data.tokens.size(), 0);
  std::unordered_map<std::string_view, size_t> ids;
  for (size_t id = 0; id < data.tokens.size(); ++id)
    if (data.types[id] == TokenType::Normal) ids[data.tokens[id]] = id;
  std::vector<bool> scored(data.tokens.size());
  for (const auto &piece : file.pieces) {
    if (piece.type != Type::Normal && piece.type != Type::UserDefined) continue;
    const auto found = ids.find(piece.text);
    if (found == ids.end()) { // cut out of the text all the same, and then unknown
      data.unknown_pieces.push_back(piece.text);
      data.unknown_scores.push_back(piece.score);
    } else {
      data.scores[found->second] = piece.score;
      scored[found->second] = true;
    }
  }
  // What only the target language has is never cut out of the source.
  for (size_t id = 0; id < data.tokens.size(); ++id) {
    if (data.types[id] != TokenType::Normal || scored[id]) continue;
    const std::string &text = data.tokens[id];
    AddedToken flags;
    flags.id = int32_t(id);
    flags.outside_model = true;
    if (text.starts_with(">>") && text.ends_with("<<")) // the language to translate to
      builder.add(flags, text, false);
    else if (text == "</s>" || text == "<unk>" || text == "<pad>")
      builder.add(flags, text, true);
    data.added.push_back(flags);
  }
  data.unknown = builder.find("<unk>");
  data.special.unk = data.unknown;
  data.special.eos = builder.find("</s>");
  data.special.pad = builder.find("<pad>");
  data.charsmap = file.charsmap;
  if (!file.charsmap.empty()) data.normalizer.push_back("precompiled rule=longest");
  if (file.remove_extra_spaces)
    data.normalizer.insert(data.normalizer.end(),
                           {R"(replace regex=" {2,}" with=" ")", R"(replace regex="\\A | \\z" with="")"});
  data.pre_tokenizer = data.decoder = {metaspace()};
  if (const int32_t eos = data.special.eos; eos >= 0) {
    data.single = {{TemplatePiece::kFirst, 0}, {eos, 0}};
    data.pair = {{TemplatePiece::kFirst, 0}, {TemplatePiece::kSecond, 0}, {eos, 0}};
  }
}

} // namespace fovea
