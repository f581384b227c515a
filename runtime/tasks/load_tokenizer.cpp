#include "tasks/load_tokenizer.h"

#include "base/error.h"
#include "text/step.h"

#include <algorithm>

namespace fovea {
namespace {

constexpr size_t kMaxAffixBytes = 256;

class Loader {
public:
  Loader(const ModelFile &file, uint32_t max_tokens) : file_(file), max_tokens_(max_tokens) {}

  TokenizerData load() {
    data_.source = file_.path();
    read_model();
    read_vocabulary();
    read_added();
    read_pipelines();
    read_templates();
    read_special();
    return std::move(data_);
  }

private:
  template <class... Parts> [[noreturn]] void bad(std::string_view key, const Parts &...parts) const {
    fail(ErrorCode::InvalidFile, file_.path(), ": ", key, " ", parts...);
  }

  void read_model() {
    constexpr std::string_view names[] = {"bpe", "unigram", "wordpiece", "wordlevel"};
    const auto name = file_.find_string("fovea.tokenizer.model");
    if (!name) { // files of version 0.1
      if (const auto model = file_.get_string("tokenizer.ggml.model"); model != "gpt2")
        bad("tokenizer.ggml.model", "is '", model,
            "', and there is no fovea.tokenizer.model; expected 'gpt2'");
      return;
    }
    const auto found = std::find(std::begin(names), std::end(names), *name);
    if (found == std::end(names))
      bad("fovea.tokenizer.model", "is '", *name, "', expected bpe, unigram, wordpiece or wordlevel");
    data_.model = TokenModelKind(found - std::begin(names));
  }

  // The numbering of `tokenizer.ggml.token_type`.
  TokenType token_type(int32_t value, size_t id) const {
    switch (value) {
    case 1: return TokenType::Normal;
    case 3: return TokenType::Special;
    case 4: return TokenType::Added;
    case 5: return TokenType::Unused;
    default: bad(concat("tokenizer.ggml.token_type[", id, "]"), "is ", value, ", expected 1, 3, 4 or 5");
    }
  }

  void read_vocabulary() {
    const auto tokens = file_.get_strings("tokenizer.ggml.tokens");
    if (tokens.empty() || tokens.size() > max_tokens_)
      bad("tokenizer.ggml.tokens", "has ", tokens.size(), " entries, expected 1 to ", max_tokens_,
          ", the model's vocabulary");
    data_.tokens.assign(tokens.begin(), tokens.end());
    const auto types = file_.find_i32s("tokenizer.ggml.token_type").value_or(std::vector<int32_t>());
    for (size_t id = 0; id < types.size(); ++id) data_.types.push_back(token_type(types[id], id));
    const auto merges = file_.find_strings("tokenizer.ggml.merges").value_or(std::vector<std::string_view>());
    data_.merges.assign(merges.begin(), merges.end());
    if (auto exact = file_.find_f64s("fovea.tokenizer.scores")) {
      data_.scores = *std::move(exact);
    } else if (const auto scores = file_.find_f32s("tokenizer.ggml.scores")) {
      data_.scores.assign(scores->begin(), scores->end());
    }
    const auto pieces =
        file_.find_strings("fovea.tokenizer.unknown_pieces").value_or(std::vector<std::string_view>());
    data_.unknown_pieces.assign(pieces.begin(), pieces.end());
    data_.unknown_scores = file_.find_f64s("fovea.tokenizer.unknown_scores").value_or(std::vector<double>());
    data_.unknown = file_.find_i32("fovea.tokenizer.unknown").value_or(-1);
    data_.fuse_unknown = file_.find_bool("fovea.tokenizer.fuse_unknown").value_or(false);
    data_.byte_fallback = file_.find_bool("fovea.tokenizer.byte_fallback").value_or(false);
    data_.ignore_merges = file_.find_bool("fovea.tokenizer.ignore_merges").value_or(false);
    data_.continuation_prefix = affix("fovea.tokenizer.continuation_prefix");
    data_.word_suffix = affix("fovea.tokenizer.word_suffix");
    data_.max_word_characters = file_.find_u32("fovea.tokenizer.max_word_characters").value_or(100);
  }

  std::string affix(const char *key) const {
    const auto text = file_.find_string(key).value_or("");
    if (text.size() > kMaxAffixBytes)
      bad(key, "has ", text.size(), " bytes, at most ", kMaxAffixBytes, " allowed");
    return std::string(text);
  }

  void read_added() {
    constexpr const char *key = "fovea.tokenizer.added";
    const auto added = file_.find_i32s(key).value_or(std::vector<int32_t>());
    if (added.size() % 2 != 0) bad(key, "has ", added.size(), " numbers, expected pairs of id and flags");
    for (size_t i = 0; i < added.size(); i += 2) {
      const int32_t id = added[i], flags = added[i + 1];
      if (id < 0 || id >= int64_t(data_.tokens.size()) || flags < 0 || flags > 31)
        bad(key, "has id ", id, " with flags ", flags, ", expected an id below ", data_.tokens.size(),
            " and flags up to 31");
      data_.added.push_back(
          {id, (flags & 1) != 0, (flags & 2) != 0, (flags & 4) != 0, (flags & 8) != 0, (flags & 16) != 0});
    }
  }

  void read_pipelines() {
    const auto read = [&](const char *key, std::vector<std::string> &steps) {
      if (const auto lines = file_.find_strings(key)) steps.assign(lines->begin(), lines->end());
    };
    read("fovea.tokenizer.normalizer", data_.normalizer);
    read("fovea.tokenizer.decoder", data_.decoder);
    read("fovea.tokenizer.pre_tokenizer", data_.pre_tokenizer);
    if (const auto pattern = file_.find_string("fovea.tokenizer.pattern")) // files of version 0.1
      data_.pre_tokenizer = {
          Step("split").set("regex", std::string(*pattern)).set("behavior", "isolated").print(),
          "byte_level regex=false"};
    if (const auto map = file_.find_u8s("tokenizer.ggml.precompiled_charsmap"))
      data_.charsmap.assign(map->begin(), map->end());
  }

  void read_templates() {
    const auto read = [&](const char *key, std::vector<TemplatePiece> &pieces) {
      const auto numbers = file_.find_i32s(key);
      if (!numbers) return;
      if (numbers->size() % 2 != 0)
        bad(key, "has ", numbers->size(), " numbers, expected pairs of token and type");
      pieces.clear();
      for (size_t i = 0; i < numbers->size(); i += 2) pieces.push_back({(*numbers)[i], (*numbers)[i + 1]});
    };
    read("fovea.tokenizer.single", data_.single);
    read("fovea.tokenizer.pair", data_.pair);
  }

  void read_special() {
    SpecialTokens &special = data_.special;
    const std::pair<const char *, int32_t *> ids[] = {{"bos", &special.bos},     {"eos", &special.eos},
                                                      {"unknown", &special.unk}, {"seperator", &special.sep},
                                                      {"padding", &special.pad}, {"cls", &special.cls},
                                                      {"mask", &special.mask}};
    for (const auto &[name, id] : ids) {
      const std::string key = concat("tokenizer.ggml.", name, "_token_id");
      const auto value = file_.find_u32(key);
      if (value && *value >= data_.tokens.size())
        bad(key, "is ", *value, ", expected an id below ", data_.tokens.size());
      if (value) *id = int32_t(*value);
    }
  }

  const ModelFile &file_;
  const uint32_t max_tokens_;
  TokenizerData data_;
};

} // namespace

Tokenizer load_tokenizer(const ModelFile &file, uint32_t max_tokens) {
  return Tokenizer(Loader(file, max_tokens).load()); // which checks what the lists say
}

} // namespace fovea
