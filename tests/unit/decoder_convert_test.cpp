// Decoder-only models through the converter: what configurations say, and each refusal.
#include "converter/architectures/architecture.h"
#include "converter/architectures/rope_tables.h"
#include "support/text_source.h"

#include <cmath>
#include <doctest/doctest.h>

using namespace fovea;
using test::source_of;

namespace {

ModelPlan plan_of(const std::string &config) {
  return plan_model(source_of({{"config.json", config}}), Encoding::F16);
}

const std::string kSmall = R"("hidden_size": 64, "intermediate_size": 96, "num_hidden_layers": 2,
    "num_attention_heads": 4, "num_key_value_heads": 2, "vocab_size": 100)";

std::string config(const std::string &type, const std::string &more) {
  return concat("{\"model_type\": \"", type, "\", ", kSmall, more.empty() ? "" : ", ", more, "}");
}

const std::string &graph(const ModelPlan &plan, const std::string &name) {
  for (const auto &[graph, text] : plan.graphs)
    if (graph == name) return text;
  FAIL("no graph " << name);
  return plan.graphs[0].second;
}

} // namespace

TEST_CASE("decoders: windows as each architecture's configuration gives them") {
  const auto has_window = [](const std::string &type, const std::string &more, const char *window) {
    return graph(plan_of(config(type, more)), "forward").find(window) != std::string::npos;
  };
  CHECK(has_window("mistral", "", "window=4096")); // the reference's default
  CHECK_FALSE(has_window("mistral", R"("sliding_window": null)", "window="));
  CHECK(has_window("mistral", R"("sliding_window": 7)", "window=7"));
  CHECK_FALSE(has_window("qwen2", R"("sliding_window": 7, "max_window_layers": 0)", "window="));
  CHECK(has_window("qwen2", R"("use_sliding_window": true, "sliding_window": 7, "max_window_layers": 1)",
                   "window=7"));
  CHECK(has_window("gemma3_text", R"("head_dim": 16, "sliding_window": 9)", "window=9"));
}

TEST_CASE("decoders: what would compute something else is refused with key and value") {
  const std::pair<std::string, std::string> cases[] = {
      {config("llama", R"("rope_scaling": {"type": "wavy", "factor": 2})"), "rope_type 'wavy'"},
      {config("llama", R"("partial_rotary_factor": 0.5)"), "partial_rotary_factor 0.5"},
      {config("llama", R"("hidden_act": "maxout")"), "hidden_act 'maxout'"},
      {config("llama", R"("quantization_config": {"quant_method": "gptq"})"), "quantization_config gptq"},
      {config("llama", R"("quantization_config": {"quant_method": ["gptq"]})"), "'quant_method' is"},
      {config("llama", R"("head_dim": 512)"), "heads of 512"},
      {config("gemma3_text", R"("head_dim": 4294967294, "sliding_window": 9)"), "heads of 4294967294"},
      {config("qwen2", R"("layer_types": ["full_attention", "linear_attention"])"), "linear_attention"},
      {config("mistral", R"("layer_types": ["full_attention", "full_attention"])"), "layer_types"},
      {config("gemma3_text", R"("attn_logit_softcapping": 50.0)"), "attn_logit_softcapping 50"},
      {config("gemma3_text", R"("use_bidirectional_attention": true)"), "use_bidirectional_attention"},
      {R"({"model_type": "gpt2", "add_cross_attention": true})", "add_cross_attention"}};
  for (const auto &[given, expected] : cases) {
    const std::string &text = given;
    CAPTURE(text);
    CHECK_THROWS_WITH_AS((void)plan_of(text), doctest::Contains(expected.c_str()), Error);
  }
}

TEST_CASE("decoders: configurations that contradict themselves, or are absurd") {
  const std::pair<std::string, std::string> cases[] = {
      {config("llama", R"("num_hidden_layers": 0)"), "num_hidden_layers is 0"},
      {config("llama", R"("num_hidden_layers": 4294967295)"), "'num_hidden_layers' is 4294967295"},
      {config("llama", R"("num_attention_heads": 0)"), "hidden_size 64 is no multiple of 0"},
      {config("llama", R"("num_key_value_heads": 3)"), "4 attention heads are no multiple of 3"},
      {config("llama", R"("rope_theta": -1)"), "'rope_theta' is -1"},
      {config("llama", R"("rope_scaling": {"rope_type": "linear"})"), "'factor' is missing"},
      {config("llama", R"("rope_scaling": 3)"), "'rope_scaling' is not an object"},
      {config("qwen2", R"("layer_types": ["full_attention"])"), "must name 2 layers"},
      {config("gemma3_text", R"("sliding_window": null, "head_dim": 16)"), "no sliding_window"}};
  for (const auto &[given, expected] : cases) {
    const std::string &text = given;
    CAPTURE(text);
    CHECK_THROWS_WITH_AS((void)plan_of(text), doctest::Contains(expected.c_str()), Error);
  }
}

TEST_CASE("decoders: rotary frequencies of a stretched context") {
  const auto table = [](const std::string &text, uint32_t &context) {
    return read_rope(Config::parse(text, "config.json"), {.head_size = 8, .positions = 128}, "full_attention",
                     context);
  };
  uint32_t context = 128;
  const RopeTable plain = table("{}", context),
                  linear = table(R"({"rope_scaling": {"type": "linear", "factor": 4}})", context);
  REQUIRE(plain.frequencies.size() == 4);
  CHECK(plain.frequencies[0] == 1);
  CHECK(plain.frequencies[3] == doctest::Approx(std::pow(10000.0, -0.75)));
  for (size_t i = 0; i < 4; ++i) CHECK(linear.frequencies[i] == doctest::Approx(plain.frequencies[i] / 4));
  CHECK(context == 128);
  const RopeTable yarn = table(
      R"({"rope_parameters": {"rope_type": "yarn", "factor": 4, "original_max_position_embeddings": 32}})",
      context);
  CHECK(yarn.scale == doctest::Approx(0.1 * std::log(4.0) + 1));
  // Two lists: caches made with one do not go on with the other, so the context ends where they change.
  const RopeTable longrope = table(
      R"({"rope_parameters": {"rope_type": "longrope", "short_factor": [1, 1, 2, 2], "long_factor": [9, 9, 9, 9],
          "original_max_position_embeddings": 64}})",
      context);
  CHECK(longrope.frequencies[3] == doctest::Approx(plain.frequencies[3] / 2));
  CHECK(context == 64);
}
