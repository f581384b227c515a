// tokenizer.json: the file of the Hugging Face tokenizers library.
#include "converter/tokenizers/formats.h"

namespace fovea {
namespace {
void read_merges(TokenizerData &data, const Json &model, const std::string &path) {
  const auto merges = model.find("merges");
  if (merges == model.end() || merges->is_null()) return;
  if (!merges->is_array()) bad_tokenizer(path, "'merges' is no list");
  for (const Json &merge : *merges) {
    if (merge.is_string())
      data.merges.push_back(merge.get<std::string>());
    else if (merge.is_array() && merge.size() == 2 && merge[0].is_string() && merge[1].is_string())
      data.merges.push_back(concat(merge[0].get<std::string>(), " ", merge[1].get<std::string>()));
    else
      bad_tokenizer(path, "merge ", data.merges.size(), " is neither \"a b\" nor [\"a\", \"b\"]");
  }
}

// Tokens past the model's last row were dropped, and with them the merges that need them.
void drop_merges_without_tokens(TokenizerData &data, bool dropped) {
  if (!dropped) return;
  std::vector<std::string_view> known(data.tokens.begin(), data.tokens.end());
  std::sort(known.begin(), known.end());
  const auto lacks = [&](std::string_view token) {
    return !std::binary_search(known.begin(), known.end(), token);
  };
  std::erase_if(data.merges, [&](const std::string &merge) {
    const size_t space = merge.find(' ');
    if (space == std::string::npos) return false;
    const std::string left = merge.substr(0, space), right = merge.substr(space + 1);
    const size_t prefix = std::min(right.size(), data.continuation_prefix.size());
    return lacks(left) || lacks(right) || lacks(left + right.substr(prefix));
  });
}

/// A string, where null and absence are nothing.
std::string text_or_nothing(const Json &object, const char *key) {
  const auto found = object.find(key);
  return found != object.end() && found->is_string() ? found->get<std::string>() : "";
}
/// The kind, which older files leave out.
std::string model_type(const Json &model) {
  if (const std::string type = text_or_nothing(model, "type"); !type.empty()) return type;
  if (model.contains("merges")) return "BPE";
  if (model["vocab"].is_array()) return "Unigram";
  return model.contains("max_input_chars_per_word") ? "WordPiece" : "WordLevel";
}
bool flag(const Json &object, const char *key, bool if_absent) {
  const auto found = object.find(key);
  return found != object.end() && found->is_boolean() ? found->get<bool>() : if_absent;
}

void read_model(TokenizerBuilder &builder, const Json &model, const std::string &path) {
  TokenizerData &data = builder.data;
  if (!model.is_object() || !model.contains("vocab")) bad_tokenizer(path, "'model' has no vocabulary");
  const Json &vocab = model["vocab"];
  const std::string type = model_type(model);
  bool dropped = false;
  if (vocab.is_object()) {
    for (const auto &[token, id] : vocab.items()) {
      builder.set(path, id, token);
      dropped |= id.get<uint64_t>() >= data.tokens.size();
    }
  } else if (vocab.is_array()) {
    data.scores.assign(data.tokens.size(), 0);
    for (size_t id = 0; id < vocab.size(); ++id) {
      const Json &row = vocab[id];
      if (!row.is_array() || row.size() != 2 || !row[0].is_string() || !row[1].is_number())
        bad_tokenizer(path, "token ", id, " of the vocabulary is not [\"text\", score]");
      builder.set(path, id, row[0].get<std::string>());
      if (id < data.scores.size()) data.scores[id] = row[1].get<double>();
    }
  } else {
    bad_tokenizer(path, "'vocab' is neither an object nor a list");
  }
  if (vocab.is_array() != (type == "Unigram"))
    bad_tokenizer(path, "the vocabulary has the form of another kind of model than ", printable(type));

  const std::string unknown = text_or_nothing(model, "unk_token");
  if (!unknown.empty()) data.unknown = builder.find(unknown);
  if (type == "BPE") {
    data.model = TokenModelKind::BytePairs;
    if (const auto dropout = model.find("dropout");
        dropout != model.end() && dropout->is_number() && *dropout != 0)
      fail(ErrorCode::Unsupported, path, ": 'dropout' is ", dropout->dump(), ": encoding would be random");
    data.fuse_unknown = flag(model, "fuse_unk", false);
    data.byte_fallback = flag(model, "byte_fallback", false);
    data.ignore_merges = flag(model, "ignore_merges", false);
    data.continuation_prefix = text_or_nothing(model, "continuing_subword_prefix");
    data.word_suffix = text_or_nothing(model, "end_of_word_suffix");
    read_merges(data, model, path);
    drop_merges_without_tokens(data, dropped);
    if (data.merges.empty()) data.merges.push_back("#version"); // none: not the order of ids
  } else if (type == "Unigram") {
    data.model = TokenModelKind::Unigram;
    data.byte_fallback = flag(model, "byte_fallback", false);
    if (const auto id = model.find("unk_id"); id != model.end() && id->is_number_unsigned())
      data.unknown = id->get<uint64_t>() < data.tokens.size() ? id->get<int32_t>() : -1;
  } else if (type == "WordPiece") {
    data.model = TokenModelKind::WordPiece;
    data.continuation_prefix = text_or_nothing(model, "continuing_subword_prefix");
    if (const auto n = model.find("max_input_chars_per_word"); n != model.end() && n->is_number_unsigned())
      data.max_word_characters = uint32_t(std::min<uint64_t>(n->get<uint64_t>(), UINT32_MAX));
  } else if (type == "WordLevel") {
    data.model = TokenModelKind::WordLevel;
  } else {
    fail(ErrorCode::Unsupported, path, ": a tokenizer model of type '", printable(type),
         "' (known: BPE, Unigram, WordPiece, WordLevel)");
  }
}

void read_added_tokens(TokenizerBuilder &builder, const Json &tokens, const std::string &path) {
  if (!tokens.is_array()) bad_tokenizer(path, "'added_tokens' is no list");
  for (const Json &token : tokens) {
    if (!token.is_object() || !token.contains("content") || !token["content"].is_string() ||
        !token.contains("id") || !token["id"].is_number_unsigned())
      bad_tokenizer(path, "an added token has no content or no id");
    const uint64_t id = token["id"].get<uint64_t>();
    if (id >= builder.data.tokens.size()) continue;
    AddedToken added;
    added.id = int32_t(id);
    added.strip_left = flag(token, "lstrip", false);
    added.strip_right = flag(token, "rstrip", false);
    added.single_word = flag(token, "single_word", false);
    added.normalized = flag(token, "normalized", !flag(token, "special", false));
    builder.add(added, token["content"].get<std::string>(), flag(token, "special", false));
  }
}
} // namespace

void read_tokenizer_json(TokenizerBuilder &builder, const std::string &text, const std::string &path) {
  const KeptJson kept = parse_json(text, path);
  const Json &json = kept;
  if (!json.is_object() || !json.contains("model")) bad_tokenizer(path, "no 'model'");
  const auto part = [&](const char *key) -> Json { return json.contains(key) ? json[key] : Json(); };
  TokenizerData &data = builder.data;
  read_model(builder, json["model"], path);
  if (const Json tokens = part("added_tokens"); !tokens.is_null()) read_added_tokens(builder, tokens, path);
  data.normalizer = normalizer_steps(part("normalizer"), path, data.charsmap);
  data.pre_tokenizer = pre_tokenizer_steps(part("pre_tokenizer"), path);
  data.decoder = decoder_steps(part("decoder"), path);
  read_post_processor(part("post_processor"), path, data);
}

} // namespace fovea
