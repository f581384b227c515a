#include "converter/tokenizers/byte_level.h"

#include "converter/json.h"
#include "text/byte_alphabet.h"

#include <algorithm>
#include <sstream>

namespace fovea {
namespace {

class Reader {
public:
  Reader(const Source &source, uint32_t size) : source_(source) {
    data_.source = source.path();
    data_.tokens.resize(size);
    data_.types.assign(size, TokenType::Unused);
  }

  std::optional<TokenizerData> read() {
    if (const auto text = source_.text("tokenizer.json")) {
      read_tokenizer_json(parse_json(*text, source_.text_path("tokenizer.json")));
    } else if (const auto vocab = source_.text("vocab.json")) {
      read_vocabulary(parse_json(*vocab, source_.text_path("vocab.json")), source_.text_path("vocab.json"));
      read_merges_txt();
      if (const auto added = source_.text("added_tokens.json"))
        read_added_tokens(parse_json(*added, source_.text_path("added_tokens.json")));
    } else if (!source_.vocabulary().empty()) {
      read_embedded();
    } else {
      return {};
    }
    for (size_t id = 0; id < data_.tokens.size(); ++id)
      if (data_.tokens[id].empty() && data_.types[id] == TokenType::Unused)
        data_.tokens[id] = concat("<|unused_", id, "|>");
    return std::move(data_);
  }

private:
  template <class... Parts> [[noreturn]] void bad(const std::string &path, const Parts &...parts) const {
    fail(ErrorCode::InvalidFile, path, ": ", parts...);
  }

  void set(const std::string &path, const Json &id, const std::string &token, TokenType type) {
    if (!id.is_number_integer() || id < 0) bad(path, "token '", printable(token), "' has no id");
    // Some published vocabularies name tokens past the model's last row: nothing can produce them.
    if (id >= data_.tokens.size()) return;
    const auto index = id.get<size_t>();
    data_.tokens[index] = token;
    data_.types[index] = type;
  }

  void read_vocabulary(const Json &vocab, const std::string &path) {
    if (!vocab.is_object()) bad(path, "expected an object of tokens and ids");
    for (const auto &[token, id] : vocab.items()) set(path, id, token, TokenType::Normal);
  }

  void read_tokenizer_json(const Json &json) {
    const std::string path = source_.text_path("tokenizer.json");
    const Json *model = json.is_object() && json.contains("model") ? &json["model"] : nullptr;
    if (!model || !model->is_object() || model->value("type", "BPE") != "BPE" || !model->contains("vocab"))
      fail(ErrorCode::Unsupported, path, ": not a byte-level BPE tokenizer");
    read_vocabulary((*model)["vocab"], path);
    for (const Json &merge : model->value("merges", Json::array())) {
      if (merge.is_string())
        data_.merges.push_back(merge.get<std::string>());
      else if (merge.is_array() && merge.size() == 2 && merge[0].is_string() && merge[1].is_string())
        data_.merges.push_back(concat(merge[0].get<std::string>(), " ", merge[1].get<std::string>()));
      else
        bad(path, "merge ", data_.merges.size(), " is neither \"a b\" nor [\"a\", \"b\"]");
    }
    for (const Json &token : json.value("added_tokens", Json::array())) {
      if (!token.is_object() || !token.contains("content") || !token["content"].is_string())
        bad(path, "an added token has no content");
      const bool special = token.value("special", false);
      set(path, token.value("id", Json()), token["content"].get<std::string>(),
          special ? TokenType::Special : TokenType::Added);
    }
    if (json.contains("pre_tokenizer") && json["pre_tokenizer"].is_object())
      data_.add_prefix_space = json["pre_tokenizer"].value("add_prefix_space", false);
  }

  void read_merges_txt() {
    const auto text = source_.text("merges.txt");
    if (!text) fail(ErrorCode::NotFound, source_.text_path("merges.txt"), ": vocab.json needs it");
    std::istringstream lines(*text);
    for (std::string line; std::getline(lines, line);) {
      if (!line.empty() && line.back() == '\r') line.pop_back();
      if (!line.empty() && !line.starts_with("#version")) data_.merges.push_back(line);
    }
  }

  void read_added_tokens(const Json &added) {
    const std::string path = source_.text_path("added_tokens.json");
    if (!added.is_object()) bad(path, "expected an object of tokens and ids");
    for (const auto &[token, id] : added.items()) set(path, id, token, TokenType::Special);
  }

  // Raw bytes in id order; merge ranks are the ids themselves.
  void read_embedded() {
    const auto &tokens = source_.vocabulary();
    for (size_t id = 0; id < std::min(tokens.size(), data_.tokens.size()); ++id) {
      for (const char byte : tokens[id]) data_.tokens[id] += byte_to_alphabet(uint8_t(byte));
      data_.types[id] = TokenType::Normal;
    }
  }

  const Source &source_;
  TokenizerData data_;
};

} // namespace

std::optional<TokenizerData> read_byte_level_tokenizer(const Source &source, uint32_t size) {
  return Reader(source, size).read();
}

int32_t find_token(const TokenizerData &data, std::string_view text) {
  const auto it = std::find(data.tokens.begin(), data.tokens.end(), text);
  return it == data.tokens.end() ? -1 : int32_t(it - data.tokens.begin());
}

void add_tokenizer_metadata(const TokenizerData &data, ModelPlan &plan) {
  std::vector<int32_t> types; // as llama.cpp numbers them
  for (const TokenType type : data.types)
    types.push_back(type == TokenType::Normal    ? 1
                    : type == TokenType::Special ? 3
                    : type == TokenType::Added   ? 4
                                                 : 5);
  plan.add("tokenizer.ggml.model", std::string("gpt2"));
  plan.add("tokenizer.ggml.tokens", data.tokens);
  plan.add("tokenizer.ggml.token_type", std::move(types));
  if (!data.merges.empty()) plan.add("tokenizer.ggml.merges", data.merges);
  plan.add("fovea.tokenizer.pattern", data.pattern);
  plan.add("fovea.tokenizer.add_prefix_space", data.add_prefix_space);
  plan.add("fovea.tokenizer.tokens_are_bytes", data.tokens_are_bytes);
}

} // namespace fovea
