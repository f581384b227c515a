// The post-processor of a tokenizer.json as a template for one text and for two.
#include "converter/tokenizers/formats.h"

namespace fovea {
namespace {

int32_t small_id(const Json &json, const std::string &path, const TokenizerData &data) {
  if (!json.is_number_unsigned()) bad_tokenizer(path, "'post_processor' has a token without an id");
  if (json.get<uint64_t>() >= data.tokens.size())
    bad_tokenizer(path, "'post_processor' puts the token ", json.get<uint64_t>(), ", the model has ",
                  data.tokens.size());
  return json.get<int32_t>();
}

/// 0 where it is not given.
int32_t type_id(const Json &piece, const std::string &path) {
  const auto found = piece.find("type_id");
  if (found == piece.end()) return 0;
  if (!found->is_number_unsigned()) bad_tokenizer(path, "'post_processor' has a type_id that is no number");
  return int32_t(found->get<uint64_t>() & 0xFF);
}

std::vector<TemplatePiece> read_template(const Json &pieces, const Json &special, const std::string &path,
                                         const TokenizerData &data) {
  std::vector<TemplatePiece> out;
  if (!pieces.is_array()) bad_tokenizer(path, "a template of 'post_processor' is no list");
  for (const Json &piece : pieces) {
    const auto field = [&](const char *kind) -> const Json * {
      return piece.is_object() && piece.contains(kind) && piece[kind].is_object() &&
                     piece[kind].contains("id")
                 ? &piece[kind]
                 : nullptr;
    };
    if (const Json *sequence = field("Sequence")) {
      out.push_back({(*sequence)["id"] == "B" ? TemplatePiece::kSecond : TemplatePiece::kFirst,
                     type_id(*sequence, path)});
    } else if (const Json *token = field("SpecialToken")) {
      const Json &name = (*token)["id"];
      if (!name.is_string() || !special.is_object() || !special.contains(name.get<std::string>()))
        bad_tokenizer(path, "'post_processor' names a special token that it does not list");
      const Json &row = special[name.get<std::string>()];
      if (!row.is_object() || !row.contains("ids") || !row["ids"].is_array())
        bad_tokenizer(path, "a special token of 'post_processor' has no ids");
      for (const Json &id : row["ids"]) out.push_back({small_id(id, path, data), type_id(*token, path)});
    } else {
      bad_tokenizer(path, "a template of 'post_processor' has a piece that is neither a text nor a token");
    }
  }
  return out;
}

/// ["[SEP]", 102] → 102.
int32_t token_of(const Json &json, const char *key, const std::string &path, const TokenizerData &data) {
  if (!json.contains(key) || !json[key].is_array() || json[key].size() != 2)
    bad_tokenizer(path, "'post_processor' has no '", key, "'");
  return small_id(json[key][1], path, data);
}

} // namespace

void read_post_processor(const Json &json, const std::string &path, TokenizerData &data) {
  if (json.is_null()) return;
  constexpr auto kFirst = TemplatePiece::kFirst, kSecond = TemplatePiece::kSecond;
  const std::string type = json.is_object() && json.contains("type") && json["type"].is_string()
                               ? json["type"].get<std::string>()
                               : "";
  if (type == "Sequence") {
    if (json.contains("processors") && json["processors"].is_array())
      for (const Json &processor : json["processors"]) read_post_processor(processor, path, data);
  } else if (type == "TemplateProcessing") {
    const Json special = json.contains("special_tokens") ? json["special_tokens"] : Json();
    if (!json.contains("single") || !json.contains("pair"))
      bad_tokenizer(path, "'post_processor' has no templates");
    data.single = read_template(json["single"], special, path, data);
    data.pair = read_template(json["pair"], special, path, data);
  } else if (type == "BertProcessing") {
    const int32_t cls = token_of(json, "cls", path, data), sep = token_of(json, "sep", path, data);
    data.single = {{cls, 0}, {kFirst, 0}, {sep, 0}};
    data.pair = {{cls, 0}, {kFirst, 0}, {sep, 0}, {kSecond, 1}, {sep, 1}};
  } else if (type == "RobertaProcessing") {
    const int32_t cls = token_of(json, "cls", path, data), sep = token_of(json, "sep", path, data);
    data.single = {{cls, 0}, {kFirst, 0}, {sep, 0}};
    data.pair = {{cls, 0}, {kFirst, 0}, {sep, 0}, {sep, 0}, {kSecond, 0}, {sep, 0}};
  } else if (type != "ByteLevel") { // which moves offsets only
    fail(ErrorCode::Unsupported, path, ": post_processor of type '", printable(type),
         "' is not known to this build");
  }
}

} // namespace fovea
