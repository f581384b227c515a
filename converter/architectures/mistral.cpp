// Mistral 7B and its successors (Jiang et al., 2023): Llama with a sliding window in every layer, or none.
#include "converter/architectures/architecture.h"
#include "converter/architectures/llama_family.h"
#include "converter/architectures/rope_tables.h"

#include <algorithm>

namespace fovea {
namespace {

ModelPlan build(const Source &source, Encoding encoding) {
  const Config c = Config::parse(source.text("config.json").value_or("{}"), source.text_path("config.json"));
  CausalDecoder d =
      read_llama_sizes(c, {.architecture = "mistral", .ffn = 14336, .kv_heads = 8, .positions = 4096 * 32});
  d.ropes = {read_rope(c, {.head_size = d.head_size, .positions = d.context}, "full_attention", d.context)};
  const uint32_t window = c.is_null("sliding_window") ? 0 : c.find_u32("sliding_window").value_or(4096);
  const char *type = window ? "sliding_attention" : "full_attention";
  for (const std::string &stated : read_layer_types(c, d.layers.size()))
    if (stated != type)
      fail(ErrorCode::Unsupported, c.path(), ": layer_types has '", stated, "', sliding_window says ", type,
           " for all layers");
  for (CausalDecoder::Layer &layer : d.layers) layer.window = window;
  return plan_llama(d, source, c, {}, encoding);
}

} // namespace

extern const Architecture kMistral;
const Architecture kMistral = {"mistral", {"mistral"}, build};

} // namespace fovea
