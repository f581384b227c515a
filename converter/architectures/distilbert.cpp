// DistilBERT (Sanh et al., 2019): BERT's encoder without kinds of tokens and without a pooler.
#include "converter/architectures/architecture.h"

#include "converter/architectures/text_encoder.h"
#include "converter/labels.h"

namespace fovea {
namespace {

using Kind = TextEncoder::Head::Kind;

void read_head(const Config &c, TextEncoder &e) {
  TextEncoder::Head &head = e.head;
  head.kind = read_head_kind(c);
  e.ignored = {"vocab_*"};
  if (head.kind == Kind::Classes) {
    head.dense = "pre_classifier";
    head.act = Activation::Relu;
    head.out = "classifier";
    head.n_classes = n_labels(c);
  } else if (head.kind == Kind::Tokens) {
    name_token_head(head, c, "vocab_transform", e.blocks.act, "vocab_layer_norm", "vocab_projector.bias",
                    "vocab_projector");
  }
}

ModelPlan build(const Source &source, Encoding) {
  const Config c = Config::parse(source.text("config.json").value_or("{}"), source.text_path("config.json"));
  check_plain_encoder(c);
  TextEncoder e;
  e.architecture = "distilbert";
  e.blocks.width = e.embedding_width = c.get_u32("dim");
  e.blocks.ffn = c.get_u32("hidden_dim");
  e.blocks.heads = c.get_u32("n_heads");
  e.blocks.act = read_activation(c, "activation", "gelu");
  e.blocks.eps = 1e-12f;
  e.vocabulary = c.get_u32("vocab_size");
  e.positions = c.find_u32("max_position_embeddings").value_or(512); // sinusoidal ones are stored as well
  e.prefix = find_prefix(source, {"distilbert.", "", "model.", "model.distilbert."},
                         "embeddings.word_embeddings.weight");
  e.words = "embeddings.word_embeddings";
  e.places = "embeddings.position_embeddings";
  e.embedding_norm = "embeddings.LayerNorm";
  e.attention = {"sa_layer_norm", "attention.q_lin", "attention.k_lin", "attention.v_lin",
                 "attention.out_lin"};
  e.mlp = {"output_layer_norm", "ffn.lin1", "ffn.lin2"};
  add_layers(e, "transformer.layer.", c.get_u32("n_layers"));
  read_head(c, e);
  check_text_encoder(e, c);
  return plan_text_encoder(source, c, e);
}

} // namespace

extern const Architecture kDistilbert;
const Architecture kDistilbert = {"distilbert", {"distilbert"}, build};

} // namespace fovea
