// BART (Lewis et al., 2020) and mBART (Liu et al., 2020): learned positions from row 2 on, a norm after the
// embedding; mBART normalizes before each sublayer and after the last.
#include "converter/architectures/architecture.h"

#include "converter/architectures/encoder_decoder.h"
#include "converter/architectures/fairseq_names.h"

namespace fovea {
namespace {

ModelPlan build(const Source &source, Encoding encoding) {
  const Config c = Config::parse(source.text("config.json").value_or("{}"), source.text_path("config.json"));
  const bool pre_norm = model_type(source) == "mbart";
  // Written out by early versions; the later ones have left these choices to the model type.
  for (const auto &[key, wanted] : {std::pair{"normalize_before", pre_norm},
                                    {"add_final_layer_norm", pre_norm},
                                    {"normalize_embedding", true},
                                    {"static_position_embeddings", false}})
    if (const auto value = c.find_bool(key); value && *value != wanted)
      fail(ErrorCode::Unsupported, c.path(), ": ", key, " is ", *value ? "true" : "false", "; a ",
           model_type(source), " has it ", wanted ? "true" : "false");
  FairseqModel m = read_fairseq_model(source, c, encoding);
  m.encoder.pre_norm = m.decoder.pre_norm = pre_norm;
  const std::string &base = m.base;
  m.first_position = 2;
  m.encoder_places = base + "encoder.embed_positions";
  m.decoder_places = base + "decoder.embed_positions";
  m.encoder_embedding_norm = base + "encoder.layernorm_embedding";
  m.decoder_embedding_norm = base + "decoder.layernorm_embedding";
  if (pre_norm) {
    m.encoder_norm = base + "encoder.layer_norm";
    m.decoder_norm = base + "decoder.layer_norm";
  }
  check_encoder_decoder(m, c);
  return plan_encoder_decoder(source, c, m);
}

} // namespace

extern const Architecture kBart;
const Architecture kBart = {"bart", {"bart", "mbart"}, build};

} // namespace fovea
