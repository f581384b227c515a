// ALBERT (Lan et al., 2020): BERT's encoder with a narrow embedding, and layers that share their weights in
// groups.
#include "converter/architectures/architecture.h"

#include "converter/architectures/text_encoder.h"
#include "converter/labels.h"

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
  TextEncoder::Head &head = e.head;
  head.kind = read_head_kind(c);
  if (source.find(e.prefix + "pooler.weight")) e.pooler = "pooler";
  e.ignored = {"predictions.*", "sop_classifier.*"};
  if (head.kind == Kind::Classes) {
    if (e.pooler.empty()) e.pooler = "pooler"; // is named as missing
    head.of_pooled = true;
    head.out = "classifier";
    head.n_classes = n_labels(c);
  } else if (head.kind == Kind::Tokens) {
    head.dense = "predictions.dense";
    head.act = e.blocks.act;
    head.norm = "predictions.LayerNorm";
    head.bias = "predictions.bias";
    if (!c.find_bool("tie_word_embeddings").value_or(true)) head.matrix = "predictions.decoder";
  }
}

ModelPlan build(const Source &source, Encoding) {
  const Config c = Config::parse(source.text("config.json").value_or("{}"), source.text_path("config.json"));
  check_plain_encoder(c);
  TextEncoder e;
  e.architecture = "albert";
  e.blocks.width = c.get_u32("hidden_size");
  e.embedding_width = c.find_u32("embedding_size").value_or(128);
  e.blocks.ffn = c.get_u32("intermediate_size");
  e.blocks.heads = c.get_u32("num_attention_heads");
  e.blocks.act = read_activation(c, "hidden_act", "gelu_new");
  e.blocks.eps = float(c.find_number("layer_norm_eps").value_or(1e-12));
  e.vocabulary = c.get_u32("vocab_size");
  e.positions = c.find_u32("max_position_embeddings").value_or(512);
  e.types = c.find_u32("type_vocab_size").value_or(2);
  e.prefix =
      find_prefix(source, {"albert.", "", "model.", "model.albert."}, "embeddings.word_embeddings.weight");
  e.words = "embeddings.word_embeddings";
  e.places = "embeddings.position_embeddings";
  e.kinds = "embeddings.token_type_embeddings";
  e.embedding_norm = "embeddings.LayerNorm";
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
const Architecture kAlbert = {"albert", [](const Source &source) { return model_type(source) == "albert"; },
                              build};

} // namespace fovea
