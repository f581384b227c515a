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
    name_token_head(head, c, "lm_head.dense", Activation::Gelu, // whatever hidden_act is
                    "lm_head.layer_norm", "lm_head.bias", "lm_head.decoder");
  }
}

ModelPlan build(const Source &source, Encoding) {
  const Config c = Config::parse(source.text("config.json").value_or("{}"), source.text_path("config.json"));
  check_plain_encoder(c);
  TextEncoder e = read_text_encoder(source, c, "roberta", "gelu");
  e.first_position = c.find_u32("pad_token_id").value_or(1) + 1;
  if (e.positions <= e.first_position)
    fail(ErrorCode::InvalidFile, c.path(), ": max_position_embeddings is ", e.positions,
         ", expected more than ", e.first_position, " (pad_token_id + 1)");
  e.positions -= e.first_position;
  add_layers(e, "encoder.layer.", c.get_u32("num_hidden_layers"));
  read_head(source, c, e);
  check_text_encoder(e, c);
  return plan_text_encoder(source, c, e);
}

} // namespace

extern const Architecture kRoberta;
const Architecture kRoberta = {"roberta", {"roberta", "xlm-roberta", "camembert"}, build};

} // namespace fovea
