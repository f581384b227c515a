// BERT (Devlin et al., 2019), as Hugging Face transformers names it; MiniLM and other sentence encoders of
// its shape.
#include "converter/architectures/architecture.h"

#include "converter/architectures/text_encoder.h"

namespace fovea {
namespace {

using Kind = TextEncoder::Head::Kind;

void read_head(const Source &source, const Config &c, TextEncoder &e) {
  e.head.kind = read_head_kind(c);
  e.ignored = {"cls.*"};
  name_pooled_head(source, c, e, "pooler.dense");
  if (e.head.kind == Kind::Tokens)
    name_token_head(e.head, c, "cls.predictions.transform.dense", e.blocks.act,
                    "cls.predictions.transform.LayerNorm", "cls.predictions.bias", "cls.predictions.decoder");
}

ModelPlan build(const Source &source, Encoding) {
  const Config c = Config::parse(source.text("config.json").value_or("{}"), source.text_path("config.json"));
  check_plain_encoder(c);
  TextEncoder e = read_text_encoder(source, c, "bert", "gelu");
  add_layers(e, "encoder.layer.", c.get_u32("num_hidden_layers"));
  read_head(source, c, e);
  check_text_encoder(e, c);
  return plan_text_encoder(source, c, e);
}

} // namespace

extern const Architecture kBert;
const Architecture kBert = {"bert", {"bert"}, build};

} // namespace fovea
