#include "converter/generation_config.h"

#include "converter/tokenizers/tokenizer.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace fovea {
namespace {

const std::string kPrefix = "fovea.translate.";

// Several configurations, the first that has a key deciding.
class Generation {
public:
  Generation(std::vector<Config> configs, uint32_t vocabulary)
      : configs_(std::move(configs)), vocabulary_(vocabulary) {}

  const Config *with(std::string_view key) const {
    for (const Config &c : configs_)
      if (c.has(key)) return &c;
    return nullptr;
  }

  std::optional<uint32_t> u32(std::string_view key) const {
    const Config *c = with(key);
    return c ? c->find_u32(key) : std::nullopt;
  }
  std::optional<double> number(std::string_view key) const {
    const Config *c = with(key);
    return c ? c->find_number(key) : std::nullopt;
  }
  std::optional<int32_t> token(std::string_view key) const {
    const std::vector<int32_t> all = tokens(key);
    return all.empty() ? std::nullopt : std::optional(all[0]);
  }
  /// A token or a list of them.
  std::vector<int32_t> tokens(std::string_view key) const {
    const Config *c = with(key);
    if (!c) return {};
    std::vector<int32_t> out;
    if (c->find(key)->is_array())
      out = c->get_i32s(key);
    else
      out = {checked(c->get_u32(key), *c, key)};
    for (const int32_t id : out) checked(id, *c, key);
    return out;
  }
  /// Each sequence followed by -1.
  std::vector<int32_t> sequences(std::string_view key) const {
    const Config *c = with(key);
    if (!c) return {};
    const Json &list = *c->find(key);
    std::vector<int32_t> out;
    if (!list.is_array()) fail(ErrorCode::InvalidFile, c->path(), ": ", key, " is not a list of token lists");
    for (const Json &one : list) {
      for (const int32_t id : Config(Json{{"ids", one}}, c->path()).get_i32s("ids"))
        out.push_back(checked(id, *c, key));
      out.push_back(-1);
    }
    return out;
  }
  std::optional<std::string> early_stopping() const {
    const Config *c = with("early_stopping");
    if (!c) return {};
    const Json &value = *c->find("early_stopping");
    if (value.is_boolean()) return value.get<bool>() ? "true" : "false";
    if (value == "never") return "never";
    fail(ErrorCode::InvalidFile, c->path(), R"(: early_stopping is neither true, false nor "never")");
  }

private:
  int32_t checked(int64_t id, const Config &c, std::string_view key) const {
    if (id < 0 || id >= int64_t(vocabulary_))
      fail(ErrorCode::InvalidFile, c.path(), ": ", key, " has token ", id, ", expected 0 to ",
           vocabulary_ - 1);
    return int32_t(id);
  }
  std::vector<Config> configs_;
  uint32_t vocabulary_;
};

// Options of the reference implementation that this build does not have, and the values that turn them off.
void refuse_unsupported(const Generation &g) {
  for (const char *key : {"diversity_penalty", "encoder_no_repeat_ngram_size", "penalty_alpha"})
    if (const auto value = g.number(key); value && *value != 0)
      fail(ErrorCode::Unsupported, g.with(key)->path(), ": ", key, " is ", *value, "; it is not supported");
  for (const char *key : {"num_beam_groups", "encoder_repetition_penalty", "guidance_scale"})
    if (const auto value = g.number(key); value && *value != 1)
      fail(ErrorCode::Unsupported, g.with(key)->path(), ": ", key, " is ", *value, "; it is not supported");
  for (const char *key :
       {"sequence_bias", "force_words_ids", "constraints", "exponential_decay_length_penalty"})
    if (const Config *c = g.with(key))
      fail(ErrorCode::Unsupported, c->path(), ": ", key, " is not supported");
}

// What may differ from task to task.
void add_settings(const Generation &g, const std::string &prefix, ModelPlan &plan) {
  refuse_unsupported(g);
  static constexpr std::pair<const char *, const char *> kCounts[] = {
      {"num_beams", "beams"},
      {"max_length", "max_length"},
      {"max_new_tokens", "max_new_tokens"},
      {"min_length", "min_length"},
      {"min_new_tokens", "min_new_tokens"},
      {"no_repeat_ngram_size", "no_repeat_ngram"}};
  for (const auto &[key, to] : kCounts)
    if (const auto value = g.u32(key)) plan.add(prefix + to, *value);
  for (const char *key : {"length_penalty", "repetition_penalty"})
    if (const auto value = g.number(key)) plan.add(prefix + key, float(*value));
  if (const auto value = g.early_stopping()) plan.add(prefix + "early_stopping", *value);
  if (const auto id = g.token("forced_bos_token_id")) plan.add(prefix + "forced_bos", *id);
  if (const auto ids = g.tokens("forced_eos_token_id"); !ids.empty()) plan.add(prefix + "forced_eos", ids);
  if (const auto ids = g.tokens("suppress_tokens"); !ids.empty()) plan.add(prefix + "suppress", ids);
  if (const auto ids = g.tokens("begin_suppress_tokens"); !ids.empty())
    plan.add(prefix + "begin_suppress", ids);
  if (const auto ids = g.sequences("bad_words_ids"); !ids.empty()) plan.add(prefix + "bad_words", ids);
}

void add_tasks(const Config &config, uint32_t vocabulary, ModelPlan &plan) {
  const Json *tasks = config.find("task_specific_params");
  if (!tasks || !tasks->is_object()) return;
  std::vector<std::string> names;
  for (const auto &[name, params] : tasks->items()) {
    const bool plain =
        !name.empty() && name.size() <= 64 && std::all_of(name.begin(), name.end(), [](char c) {
          return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
                 c == '-';
        });
    if (!plain || !params.is_object() || names.size() == 64) continue;
    const std::string prefix = kPrefix + "task." + name + ".";
    const Config one(params, config.path());
    add_settings(Generation({one}, vocabulary), prefix, plan);
    if (const auto text = one.find_string("prefix")) plan.add(prefix + "prefix", *text);
    names.push_back(name);
  }
  if (!names.empty()) plan.add(kPrefix + "tasks", names);
}

// Most tokens of a source text.
uint32_t max_source(const Source &source, uint32_t positions) {
  constexpr uint32_t kUsual = 512; // where neither positions nor the tokenizer set a limit
  uint32_t n = positions ? positions : kUsual;
  if (const auto text = source.text("tokenizer_config.json"))
    if (const auto most =
            Config::parse(*text, source.text_path("tokenizer_config.json")).find_number("model_max_length"))
      if (*most >= 1 && *most < double(positions ? positions : 1u << 16)) n = uint32_t(*most);
  return n;
}

} // namespace

void add_generation_metadata(const Source &source, const Config &config, GenerationLimits limits,
                             std::string_view without_tokenizer, ModelPlan &plan) {
  std::vector<Config> configs;
  if (const auto text = source.text("generation_config.json"))
    configs.push_back(Config::parse(*text, source.text_path("generation_config.json")));
  configs.push_back(config);
  const Generation g(std::move(configs), limits.vocabulary);

  plan.add("fovea.text.max_tokens", max_source(source, limits.positions));
  const int32_t pad = g.token("pad_token_id").value_or(0);
  plan.add("fovea.text.pad", pad);
  plan.add("fovea.text.vocabulary", limits.vocabulary);
  add_tokenizer(source, limits.vocabulary, without_tokenizer, plan);
  plan.add(kPrefix + "positions", limits.positions);
  // Where a start token is given, bos_token_id may be a left-over of another vocabulary.
  auto start = g.token("decoder_start_token_id");
  if (!start) start = g.token("bos_token_id");
  plan.add(kPrefix + "start", start.value_or(pad));
  plan.add(kPrefix + "end", g.tokens("eos_token_id"));
  add_settings(g, kPrefix, plan);
  add_tasks(config, limits.vocabulary, plan);
}

} // namespace fovea
