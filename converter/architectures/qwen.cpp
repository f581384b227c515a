// Qwen2 and Qwen3 (Qwen Team, 2024, 2025): Llama with biases on q, k and v (2) or their heads normalized (3),
// and windows in the upper layers when asked for.
#include "converter/architectures/architecture.h"
#include "converter/architectures/llama_family.h"
#include "converter/architectures/rope_tables.h"

namespace fovea {
namespace {

CausalDecoder read(const Config &c, const LlamaDefaults &defaults) {
  CausalDecoder d = read_llama_sizes(c, defaults);
  d.ropes = {read_rope(c, {.head_size = d.head_size, .positions = d.context}, "full_attention", d.context)};
  const bool wanted = c.find_bool("use_sliding_window").value_or(false);
  const uint32_t window =
      !wanted || c.is_null("sliding_window") ? 0 : c.find_u32("sliding_window").value_or(4096);
  std::vector<std::string> types = read_layer_types(c, d.layers.size());
  if (types.empty())
    for (size_t i = 0; i < d.layers.size(); ++i)
      types.push_back(window && i >= c.find_u32("max_window_layers").value_or(28) ? "sliding_attention"
                                                                                  : "full_attention");
  set_windows(d, c, types, window);
  return d;
}

ModelPlan build_qwen2(const Source &source, Encoding encoding) {
  const Config c = Config::parse(source.text("config.json").value_or("{}"), source.text_path("config.json"));
  CausalDecoder d = read(c, {"qwen2", 151936, 4096, 22016, 32, 32, 32, 0, 32768});
  d.qkv_bias = true;
  return plan_llama(d, source, c, {}, encoding);
}

ModelPlan build_qwen3(const Source &source, Encoding encoding) {
  const Config c = Config::parse(source.text("config.json").value_or("{}"), source.text_path("config.json"));
  CausalDecoder d = read(c, {"qwen3", 151936, 4096, 22016, 32, 32, 32, 128, 32768});
  d.qkv_bias = d.o_bias = c.find_bool("attention_bias").value_or(false);
  d.head_norm = true;
  return plan_llama(d, source, c, {}, encoding);
}

} // namespace

extern const Architecture kQwen2, kQwen3;
const Architecture kQwen2 = {"qwen2", {"qwen2"}, build_qwen2};
const Architecture kQwen3 = {"qwen3", {"qwen3"}, build_qwen3};

} // namespace fovea
