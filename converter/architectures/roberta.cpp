// RoBERTa (Liu et al., 2019), XLM-RoBERTa (Conneau et al., 2020) and CamemBERT: BERT's encoder with positions
// that begin after the padding token's number, and another head. In the published code a padding token inside
// a text takes no position; here every token does, which differs only for texts that spell the padding token
// out.
#include "converter/architectures/architecture.h"

#include "converter/architectures/text_encoder.h"
#include "converter/labels.h"

namespace fovea {
namespace {

using Kind = TextEncoder::Head::Kind;

void read_head(const Source &source, const Config &c, TextEncoder &e) {
  TextEncoder::Head &head = e.head;
  head.kind = read_head_kind(c);
  if (head.kind != Kind::Classes && source.find(e.prefix + "pooler.dense.weight")) e.pooler = "pooler.dense";
  e.ignored = {"lm_head.*", concat(e.prefix, "pooler.*")};
  if (head.kind == Kind::Classes) {
    head.dense = "classifier.dense";
    head.act = Activation::Tanh;
    head.out = "classifier.out_proj";
    head.n_classes = n_labels(c);
  } else if (head.kind == Kind::Tokens) {
    head.dense = "lm_head.dense";
    head.act = Activation::Gelu; // whatever hidden_act is
    head.norm = "lm_head.layer_norm";
    head.bias = "lm_head.bias";
    if (!c.find_bool("tie_word_embeddings").value_or(true)) head.matrix = "lm_head.decoder";
  }
}

ModelPlan build(const Source &source, Encoding) {
  const Config c = Config::parse(source.text("config.json").value_or("{}"), source.text_path("config.json"));
  check_plain_encoder(c);
  TextEncoder e;
  e.architecture = model_type(source);
  e.blocks.width = e.embedding_width = c.get_u32("hidden_size");
  e.blocks.ffn = c.get_u32("intermediate_size");
  e.blocks.heads = c.get_u32("num_attention_heads");
  e.blocks.act = read_activation(c, "hidden_act", "gelu");
  e.blocks.eps = float(c.find_number("layer_norm_eps").value_or(1e-12));
  e.vocabulary = c.get_u32("vocab_size");
  const uint32_t rows = c.find_u32("max_position_embeddings").value_or(512);
  e.first_position = c.find_u32("pad_token_id").value_or(1) + 1;
  if (rows <= e.first_position)
    fail(ErrorCode::InvalidFile, c.path(), ": max_position_embeddings is ", rows, ", expected more than ",
         e.first_position, " (pad_token_id + 1)");
  e.positions = rows - e.first_position;
  e.types = c.find_u32("type_vocab_size").value_or(2);
  e.prefix =
      find_prefix(source, {"roberta.", "", "model.", "model.roberta."}, "embeddings.word_embeddings.weight");
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

bool matches(const Source &source) {
  const std::string type = model_type(source);
  return type == "roberta" || type == "xlm-roberta" || type == "camembert";
}

} // namespace

extern const Architecture kRoberta;
const Architecture kRoberta = {"roberta", matches, build};

} // namespace fovea
