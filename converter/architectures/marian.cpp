// Marian (Junczys-Dowmunt et al., 2018) as OPUS-MT publishes it (Tiedemann and Thottingal, 2020): norms after
// the sublayers, sinusoidal positions.
#include "converter/architectures/architecture.h"

#include "converter/architectures/encoder_decoder.h"
#include "converter/architectures/fairseq_names.h"

namespace fovea {
namespace {

ModelPlan build(const Source &source, Encoding encoding) {
  const Config c = Config::parse(source.text("config.json").value_or("{}"), source.text_path("config.json"));
  for (const auto &[key, wanted] : {std::pair{"normalize_before", false},
                                    {"add_final_layer_norm", false},
                                    {"normalize_embedding", false},
                                    {"static_position_embeddings", true}})
    if (const auto value = c.find_bool(key); value && *value != wanted)
      fail(ErrorCode::Unsupported, c.path(), ": ", key, " is ", *value ? "true" : "false",
           "; a marian model has it ", wanted ? "true" : "false");
  FairseqModel m = read_fairseq_model(source, c, encoding);
  // Computed unless the file has them, which then may be other ones.
  if (source.find(m.base + "encoder.embed_positions.weight"))
    m.encoder_places = m.base + "encoder.embed_positions";
  if (source.find(m.base + "decoder.embed_positions.weight"))
    m.decoder_places = m.base + "decoder.embed_positions";
  check_encoder_decoder(m, c);
  return plan_encoder_decoder(source, c, m);
}

} // namespace

extern const Architecture kMarian;
const Architecture kMarian = {"marian", {"marian"}, build};

} // namespace fovea
