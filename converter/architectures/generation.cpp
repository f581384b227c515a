#include "converter/architectures/generation.h"

#include "converter/tokenizers/chat_template.h"
#include "converter/tokenizers/tokenizer.h"

#include <cmath>

namespace fovea {
namespace {

/// A file's object; empty when the source has none.
Config optional_config(const Source &source, const char *name) {
  return Config::parse(source.text(name).value_or("{}"), source.text_path(name));
}

/// A token id or a list of them.
std::vector<int32_t> ids(const Config &c, const char *key) {
  const Json *value = c.find(key);
  if (!value) return {};
  if (value->is_array()) return c.get_i32s(key);
  if (value->is_number_integer() && *value == -1) return {};
  return {int32_t(c.get_u32(key))};
}

class Generation {
public:
  Generation(const CausalDecoder &decoder, const Source &source, const Config &config, ModelPlan &plan)
      : decoder_(decoder), source_(source), config_(config),
        generation_(optional_config(source, "generation_config.json")), plan_(plan) {}

  void add() {
    plan_.add("fovea.task", std::string("generate"));
    plan_.add("fovea.generate.context", decoder_.context);
    plan_.add("fovea.generate.vocabulary", decoder_.vocabulary);
    std::vector<int32_t> begin = known(first_of("bos_token_id"));
    // Without a tokenizer the graphs still run, on ids.
    if (const auto tokenizer = add_tokenizer(
            source_, decoder_.vocabulary,
            "`fovea generate` will not work, token ids will (fovea_generate_from_tokens())", plan_)) {
      add_chat_format(source_, plan_);
      if (begin.empty()) begin = known({tokenizer->special.bos});
    }
    plan_.add("fovea.generate.token.begin", begin.empty() ? int32_t(-1) : begin[0]);
    plan_.add("fovea.generate.token.end", known(first_of("eos_token_id")));
    add_sampling();
    add_stop_strings();
  }

private:
  /// From generation_config.json, else from config.json.
  std::vector<int32_t> first_of(const char *key) const {
    return generation_.has(key) ? ids(generation_, key) : ids(config_, key);
  }
  /// Without ids that the model cannot produce, which some configurations name.
  std::vector<int32_t> known(std::vector<int32_t> list) const {
    std::erase_if(list, [&](int32_t id) { return id < 0 || uint32_t(id) >= decoder_.vocabulary; });
    return list;
  }
  /// How the model's publisher samples, where they do.
  void add_sampling() {
    const auto number = [&](const char *from, const char *to, double low, double high) {
      const auto value = generation_.find_number(from);
      if (!value) return;
      if (!(*value >= low && *value <= high))
        fail(ErrorCode::InvalidFile, generation_.path(), ": '", from, "' is ", *value, ", expected ", low,
             " to ", high);
      plan_.add(concat("fovea.generate.", to), float(*value));
    };
    number("repetition_penalty", "repeat_penalty", 1e-3, 1e3);
    if (!generation_.find_bool("do_sample").value_or(false)) return;
    if (!generation_.has("temperature")) plan_.add("fovea.generate.temperature", 1.0f);
    number("temperature", "temperature", 0, 1e3);
    number("top_p", "top_p", 0, 1);
    number("min_p", "min_p", 0, 1);
    // The reference keeps 50 tokens when nothing else is said.
    plan_.add("fovea.generate.top_k",
              generation_.is_null("top_k") ? 0u : generation_.find_u32("top_k").value_or(50));
  }
  void add_stop_strings() {
    const Json *stop = generation_.find("stop_strings");
    if (!stop) return;
    std::vector<std::string> strings;
    for (const Json &text : stop->is_array() ? *stop : Json::array({*stop})) {
      if (!text.is_string() || text.get<std::string>().empty())
        fail(ErrorCode::InvalidFile, generation_.path(), ": 'stop_strings' has an element that is no text");
      strings.push_back(text.get<std::string>());
    }
    if (!strings.empty()) plan_.add("fovea.generate.stop", strings);
  }

  const CausalDecoder &decoder_;
  const Source &source_;
  const Config &config_;
  const Config generation_;
  ModelPlan &plan_;
};

} // namespace

void add_generation(const CausalDecoder &decoder, const Source &source, const Config &config,
                    ModelPlan &plan) {
  Generation(decoder, source, config, plan).add();
}

} // namespace fovea
