// Llama 1 to 3 (Touvron et al., 2023; Dubey et al., 2024) and what is published in its form.
#include "converter/architectures/architecture.h"
#include "converter/architectures/llama_family.h"
#include "converter/architectures/rope_tables.h"

namespace fovea {
namespace {

ModelPlan build(const Source &source, Encoding encoding) {
  const Config c = Config::parse(source.text("config.json").value_or("{}"), source.text_path("config.json"));
  CausalDecoder d = read_llama_sizes(c, {.architecture = "llama"});
  d.qkv_bias = d.o_bias = c.find_bool("attention_bias").value_or(false);
  d.mlp_bias = c.find_bool("mlp_bias").value_or(false);
  d.ropes = {read_rope(c, {.head_size = d.head_size, .positions = d.context}, "full_attention", d.context)};
  return plan_llama(d, source, c, {}, encoding);
}

} // namespace

extern const Architecture kLlama;
const Architecture kLlama = {"llama", {"llama"}, build};

} // namespace fovea
