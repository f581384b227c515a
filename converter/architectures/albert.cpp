// ALBERT (Lan et al., 2020): BERT's encoder with a narrow embedding, and layers that share their weights in
// groups.
#include "converter/architectures/architecture.h"

#include "converter/architectures/text_encoder.h"

namespace fovea {
namespace {

using Kind = TextEncoder::Head::Kind;

void read_layers(const Config &c, TextEncoder &e) {
  const uint32_t n_layers = c.get_u32("num_hidden_layers"),
                 n_groups = c.find_u32("num_hidden_groups").value_or(1),
                 n_inner = c.find_u32("inner_group_num").value_or(1);
  if (n_layers == 0 || n_groups == 0 || n_inner == 0 || n_groups > n_layers ||
      uint64_t(n_layers) * n_inner > 1024)
    fail(ErrorCode::InvalidFile, c.path(), ": ", n_layers, " layers in ", n_groups, " groups of ", n_inner,
         " (num_hidden_layers, num_hidden_groups, inner_group_num)");
  for (uint32_t g = 0; g < n_groups; ++g)
    for (uint32_t i = 0; i < n_inner; ++i)
      e.layers.push_back(concat("encoder.albert_layer_groups.", g, ".albert_layers.", i, "."));
  for (uint32_t layer = 0; layer < n_layers; ++layer) {
    const auto group = uint32_t(layer / (double(n_layers) / n_groups)); // as the published code rounds
    for (uint32_t i = 0; i < n_inner; ++i) e.order.push_back(group * n_inner + i);
  }
}

void read_head(const Source &source, const Config &c, TextEncoder &e) {
  e.head.kind = read_head_kind(c);
  e.ignored = {"predictions.*", "sop_classifier.*"};
  name_pooled_head(source, c, e, "pooler");
  if (e.head.kind == Kind::Tokens)
    name_token_head(e.head, c, "predictions.dense", e.blocks.act, "predictions.LayerNorm", "predictions.bias",
                    "predictions.decoder");
}

ModelPlan build(const Source &source, Encoding) {
  const Config c = Config::parse(source.text("config.json").value_or("{}"), source.text_path("config.json"));
  check_plain_encoder(c);
  TextEncoder e = read_text_encoder(source, c, "albert", "gelu_new");
  e.embedding_width = c.find_u32("embedding_size").value_or(128);
  e.map = "encoder.embedding_hidden_mapping_in";
  e.attention = {"attention.LayerNorm", "attention.query", "attention.key", "attention.value",
                 "attention.dense"};
  e.mlp = {"full_layer_layer_norm", "ffn", "ffn_output"};
  read_layers(c, e);
  read_head(source, c, e);
  check_text_encoder(e, c);
  return plan_text_encoder(source, c, e);
}

} // namespace

extern const Architecture kAlbert;
const Architecture kAlbert = {"albert", {"albert"}, build};

} // namespace fovea
