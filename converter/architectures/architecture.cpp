#include "converter/architectures/architecture.h"

#include "converter/json.h"

#include <algorithm>

namespace fovea {

extern const Architecture kAlbert;
extern const Architecture kBart;
extern const Architecture kBert;
extern const Architecture kClip;
extern const Architecture kConformerCtc;
extern const Architecture kDeit;
extern const Architecture kDetr;
extern const Architecture kDinov2;
extern const Architecture kDistilbert;
extern const Architecture kGemma3;
extern const Architecture kGpt2;
extern const Architecture kLlama;
extern const Architecture kLstmAttention;
extern const Architecture kMarian;
extern const Architecture kMistral;
extern const Architecture kMobilenetV2;
extern const Architecture kQwen2;
extern const Architecture kQwen3;
extern const Architecture kResnet;
extern const Architecture kRoberta;
extern const Architecture kSegformer;
extern const Architecture kT5;
extern const Architecture kVisionEncoderDecoder;
extern const Architecture kVit;
extern const Architecture kWav2vec2;
extern const Architecture kWhisper;
extern const Architecture kYolos;

std::span<const Architecture> architectures() {
  // One a line.
  // clang-format off
  static const Architecture rows[] = {
      kAlbert,
      kBart,
      kBert,
      kClip,
      kConformerCtc,
      kDeit,
      kDetr,
      kDinov2,
      kDistilbert,
      kGemma3,
      kGpt2,
      kLlama,
      kLstmAttention,
      kMarian,
      kMistral,
      kMobilenetV2,
      kQwen2,
      kQwen3,
      kResnet,
      kRoberta,
      kSegformer,
      kT5,
      kVisionEncoderDecoder,
      kVit,
      kWav2vec2,
      kWhisper,
      kYolos,
  };
  // clang-format on
  return rows;
}

namespace {

// Each layer has tensors of its own, or there are few (ALBERT shares one layer's).
void check_layers(const Source &source, const Config &c) {
  constexpr uint64_t kFew = 64;
  const uint64_t n_tensors = source.tensors().size(), most = std::max(kFew, n_tensors);
  for (const char *key : {"num_hidden_layers", "n_layer", "n_layers", "num_layers", "encoder_layers",
                          "decoder_layers", "num_decoder_layers"})
    if (const Json *n = c.find(key); n && n->is_number_unsigned() && n->get<uint64_t>() > most)
      fail(ErrorCode::InvalidFile, c.path(), ": '", key, "' is ", n->get<uint64_t>(), ", and there are only ",
           n_tensors, " tensors");
  for (const char *key : {"text_config", "vision_config", "encoder", "decoder"})
    if (const Json *part = c.find(key); part && part->is_object())
      check_layers(source, Config(*part, c.path()));
}

std::optional<Config> find_config(const Source &source) {
  const auto text = source.text("config.json");
  if (!text) return {};
  return Config::parse(*text, source.text_path("config.json"));
}

std::string model_type(const std::optional<Config> &config) {
  return config ? config->find_string("model_type").value_or("") : "";
}

const Architecture &find_architecture(const Source &source, const std::string &wanted) {
  for (const Architecture &architecture : architectures())
    for (const char *type : architecture.model_types)
      if (type && wanted == type) return architecture;
  std::string known;
  for (const Architecture &architecture : architectures())
    for (const char *type : architecture.model_types)
      if (type) known += concat(known.empty() ? "" : ", ", type);
  fail(ErrorCode::Unsupported, source.path(), ": model type '", printable(wanted),
       "' is not known (known: ", known, ")");
}

} // namespace

std::string model_type(const Source &source) { return model_type(find_config(source)); }

const Architecture &find_architecture(const Source &source) {
  return find_architecture(source, model_type(source));
}

ModelPlan plan_model(const Source &source, Encoding encoding) {
  const auto config = find_config(source);
  const Architecture &architecture = find_architecture(source, model_type(config));
  if (config) check_layers(source, *config);
  return architecture.build(source, encoding);
}

} // namespace fovea
