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

void read_special_tokens(TokenizerBuilder &builder, const Json &json) {
  SpecialTokens &special = builder.data.special;
  const std::pair<const char *, int32_t *> names[] = {
      {"bos_token", &special.bos},  {"eos_token", &special.eos}, {"unk_token", &special.unk},
      {"pad_token", &special.pad},  {"cls_token", &special.cls}, {"sep_token", &special.sep},
      {"mask_token", &special.mask}};
  for (const auto &[name, id] : names)
    if (json.contains(name))
      if (const std::string text = token_text(json[name]); *id < 0 && !text.empty()) *id = builder.find(text);
}

/// Ids given as numbers: config.json's are the last resort.
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

} // namespace

void read_tokenizer_config(TokenizerBuilder &builder) {
  const auto json_of = [&](const char *name) -> Json {
    const auto text = builder.source.text(name);
    if (!text) return Json::object();
    Json json = parse_json(*text, builder.source.text_path(name));
    return json.is_object() ? json : Json::object();
  };
  read_special_tokens(builder, json_of("tokenizer_config.json"));
  read_special_tokens(builder, json_of("special_tokens_map.json"));
  read_ids(builder, json_of("generation_config.json"));
  read_ids(builder, json_of("config.json"));
}

} // namespace fovea
