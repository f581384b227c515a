// BERT (Devlin et al., 2019), as Hugging Face transformers names it; MiniLM and other sentence encoders of
// its shape.
#include "converter/architectures/architecture.h"

#include "converter/architectures/text_encoder.h"
#include "converter/labels.h"

namespace fovea {
namespace {

using Kind = TextEncoder::Head::Kind;

void read_head(const Source &source, const Config &c, TextEncoder &e) {
  TextEncoder::Head &head = e.head;
  head.kind = read_head_kind(c);
  if (source.find(e.prefix + "pooler.dense.weight")) e.pooler = "pooler.dense";
  e.ignored = {"cls.*"};
  if (head.kind == Kind::Classes) {
    if (e.pooler.empty()) e.pooler = "pooler.dense"; // is named as missing
    head.of_pooled = true;
    head.out = "classifier";
    head.n_classes = n_labels(c);
  } else if (head.kind == Kind::Tokens) {
    head.dense = "cls.predictions.transform.dense";
    head.act = e.blocks.act;
    head.norm = "cls.predictions.transform.LayerNorm";
    head.bias = "cls.predictions.bias";
    if (!c.find_bool("tie_word_embeddings").value_or(true)) head.matrix = "cls.predictions.decoder";
  }
}

ModelPlan build(const Source &source, Encoding) {
  const Config c = Config::parse(source.text("config.json").value_or("{}"), source.text_path("config.json"));
  check_plain_encoder(c);
  TextEncoder e;
  e.architecture = "bert";
  e.blocks.width = e.embedding_width = c.get_u32("hidden_size");
  e.blocks.ffn = c.get_u32("intermediate_size");
  e.blocks.heads = c.get_u32("num_attention_heads");
  e.blocks.act = read_activation(c, "hidden_act", "gelu");
  e.blocks.eps = float(c.find_number("layer_norm_eps").value_or(1e-12));
  e.vocabulary = c.get_u32("vocab_size");
  e.positions = c.find_u32("max_position_embeddings").value_or(512);
  e.types = c.find_u32("type_vocab_size").value_or(2);
  e.prefix = find_prefix(source, {"bert.", "", "model.", "model.bert."}, "embeddings.word_embeddings.weight");
  e.words = "embeddings.word_embeddings";
  e.places = "embeddings.position_embeddings";
  e.kinds = "embeddings.token_type_embeddings";
  e.embedding_norm = "embeddings.LayerNorm";
  e.attention = {"attention.output.LayerNorm", "attention.self.query", "attention.self.key",
                 "attention.self.value", "attention.output.dense"};
  e.mlp = {"output.LayerNorm", "intermediate.dense", "output.dense"};
  add_layers(e, "encoder.layer.", c.get_u32("num_hidden_layers"));
  read_head(source, c, e);
  check_text_encoder(e, c);
  return plan_text_encoder(source, c, e);
}

} // namespace

extern const Architecture kBert;
const Architecture kBert = {"bert", [](const Source &source) { return model_type(source) == "bert"; }, build};

} // namespace fovea
