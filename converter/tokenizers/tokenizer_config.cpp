// What stands beside a tokenizer: names of special tokens, and options that override its pipeline.
#include "converter/tokenizers/formats.h"

#include <algorithm>

namespace fovea {
namespace {

/// A token's text: a string, or an object with "content".
std::string token_text(const Json &json) {
  if (json.is_string()) return json.get<std::string>();
  if (json.is_object() && json.contains("content") && json["content"].is_string())
    return json["content"].get<std::string>();
  return {};
}

AddedToken token_flags(const Json &json, int32_t id) {
  const auto flag = [&](const char *key) {
    return json.is_object() && json.contains(key) && json[key].is_boolean() && json[key].get<bool>();
  };
  return {id, flag("lstrip"), flag("rstrip"), flag("single_word"), flag("normalized")};
}

std::optional<bool> find_flag(const Json &json, const char *key) {
  const auto found = json.find(key);
  return found != json.end() && found->is_boolean() ? std::optional(found->get<bool>()) : std::nullopt;
}

// Named tokens of the vocabulary are special, whether or not the tokenizer's own file says so.
void read_special_tokens(TokenizerBuilder &builder, const Json &json) {
  SpecialTokens &special = builder.data.special;
  const std::pair<const char *, int32_t *> names[] = {
      {"bos_token", &special.bos},  {"eos_token", &special.eos}, {"unk_token", &special.unk},
      {"pad_token", &special.pad},  {"cls_token", &special.cls}, {"sep_token", &special.sep},
      {"mask_token", &special.mask}};
  const auto mark = [&](const Json &token) {
    const std::string text = token_text(token);
    const int32_t id = text.empty() ? -1 : builder.find(text);
    if (id >= 0 && builder.data.types[size_t(id)] == TokenType::Normal)
      builder.add(token_flags(token, id), text, true);
    return id;
  };
  for (const auto &[name, id] : names)
    if (json.contains(name))
      if (const int32_t found = mark(json[name]); found >= 0 && *id < 0) *id = found;
  for (const char *list : {"additional_special_tokens", "extra_special_tokens"})
    if (json.contains(list) && json[list].is_array())
      for (const Json &token : json[list]) mark(token);
}

// {"50257": {"content": …}}: tokens that the files of the vocabulary leave out.
void read_added_tokens(TokenizerBuilder &builder, const Json &json) {
  const auto tokens = json.find("added_tokens_decoder");
  if (tokens == json.end() || !tokens->is_object()) return;
  for (const auto &[key, token] : tokens->items()) {
    if (key.empty() || key.size() > 9 || key.find_first_not_of("0123456789") != std::string::npos) continue;
    const auto id = size_t(std::stoul(key));
    const std::string text = token_text(token);
    if (id >= builder.data.tokens.size() || text.empty()) continue;
    const TokenType type = builder.data.types[id];
    if (type != TokenType::Unused && (type != TokenType::Normal || builder.data.tokens[id] != text)) continue;
    builder.add(token_flags(token, int32_t(id)), text, find_flag(token, "special").value_or(false));
  }
}

/// Ids given as numbers: the last resort.
void read_ids(TokenizerBuilder &builder, const Json &json) {
  SpecialTokens &special = builder.data.special;
  const std::pair<const char *, int32_t *> names[] = {
      {"bos_token_id", &special.bos}, {"eos_token_id", &special.eos}, {"pad_token_id", &special.pad}};
  for (const auto &[name, id] : names) {
    if (*id >= 0 || !json.contains(name)) continue;
    const Json &value = json[name].is_array() && !json[name].empty() ? json[name][0] : json[name];
    if (value.is_number_unsigned() && value.get<uint64_t>() < builder.data.tokens.size())
      *id = value.get<int32_t>();
  }
}

// do_lower_case and its kin change a BERT normalizer, which begins with clean_text.
void override_case(TokenizerData &data, const Json &json) {
  auto &steps = data.normalizer;
  const auto has = [&](const char *kind) {
    return std::find(steps.begin(), steps.end(), kind) != steps.end();
  };
  const auto lower = find_flag(json, "do_lower_case"), accents = find_flag(json, "strip_accents"),
             chinese = find_flag(json, "tokenize_chinese_chars");
  if (!has("clean_text") || (!lower && !accents && !chinese)) return;
  const bool was_lower = has("lowercase"), strips = has("strip_nonspacing"), spaces = has("space_ideographs");
  const bool strip = accents.value_or(lower && *lower != was_lower ? *lower : strips);
  steps = {"clean_text"};
  if (chinese.value_or(spaces)) steps.push_back("space_ideographs");
  if (strip) steps.insert(steps.end(), {"nfd", "strip_nonspacing"});
  if (lower.value_or(was_lower)) steps.push_back("lowercase");
}

void override_prefix_space(TokenizerData &data, const Json &json) {
  const auto prefix = find_flag(json, "add_prefix_space");
  if (!prefix) return;
  if (data.pre_tokenizer.size() == 1 && data.pre_tokenizer[0].starts_with("byte_level"))
    data.pre_tokenizer[0] = *prefix ? "byte_level prefix_space=true" : "byte_level";
  if (*prefix || data.model != TokenModelKind::BytePairs || !data.byte_fallback) return;
  std::erase_if(data.normalizer, [](const std::string &step) { return step.starts_with("prepend "); });
  std::erase_if(data.decoder, [](const std::string &step) { return step.starts_with("strip "); });
  for (std::string &step : data.pre_tokenizer)
    if (step.starts_with("metaspace"))
      step = Step("metaspace").set("prepend", "never").set("split", "false").print();
}

// Only where nothing but beginning and end is put around a text: other templates have their own reasons.
void override_ends(TokenizerData &data, const Json &json) {
  const auto bos = find_flag(json, "add_bos_token"), eos = find_flag(json, "add_eos_token");
  if (!bos && !eos) return;
  bool has_bos = false, has_eos = false;
  for (const TemplatePiece &piece : data.single) {
    if (piece.what >= 0 && piece.what != data.special.bos && piece.what != data.special.eos) return;
    const bool before = &piece == &data.single.front();
    has_bos |= piece.what >= 0 && before;
    has_eos |= piece.what >= 0 && !before;
  }
  if (bos.value_or(has_bos) != has_bos || eos.value_or(has_eos) != has_eos)
    set_ends(data, bos.value_or(has_bos), eos.value_or(has_eos));
}

} // namespace

KeptJson json_of(const Source &source, const char *name) {
  const auto text = source.text(name);
  if (!text) return Json::object();
  KeptJson json = parse_json(*text, source.text_path(name));
  if (!json->is_object()) return Json::object();
  return json;
}

std::string model_type_of(const Source &source) {
  const KeptJson kept = json_of(source, "config.json");
  const Json &config = kept;
  return config.contains("model_type") && config["model_type"].is_string()
             ? config["model_type"].get<std::string>()
             : "";
}

void set_ends(TokenizerData &data, bool add_bos, bool add_eos) {
  const int32_t bos = add_bos ? data.special.bos : -1, eos = add_eos ? data.special.eos : -1;
  data.single.clear();
  data.pair.clear();
  for (const int32_t type : {0, 1}) {
    if (bos >= 0) data.pair.push_back({bos, type});
    data.pair.push_back({type == 0 ? TemplatePiece::kFirst : TemplatePiece::kSecond, type});
    if (eos >= 0) data.pair.push_back({eos, type});
    if (type == 0) data.single = data.pair;
  }
}

void read_tokenizer_config(TokenizerBuilder &builder) {
  const KeptJson kept = json_of(builder.source, "tokenizer_config.json");
  const Json &config = kept;
  read_added_tokens(builder, config);
  read_special_tokens(builder, config);
  read_special_tokens(builder, json_of(builder.source, "special_tokens_map.json"));
  read_ids(builder, json_of(builder.source, "generation_config.json"));
  read_ids(builder, json_of(builder.source, "config.json"));
  TokenizerData &data = builder.data;
  override_case(data, config);
  override_prefix_space(data, config);
  override_ends(data, config);
  // For byte pairs the reference ignores it: it would take spaces that are meant.
  if (find_flag(config, "clean_up_tokenization_spaces").value_or(false) &&
      data.model != TokenModelKind::BytePairs)
    data.decoder.push_back("clean_up");
}

} // namespace fovea
