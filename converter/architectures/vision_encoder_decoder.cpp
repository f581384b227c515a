// Images to text: a ViT or DeiT encoder and a decoder that attends to its rows, GPT-2 with cross-attention
// (captions) or TrOCR's (Li et al., "TrOCR: Transformer-based Optical Character Recognition with Pre-trained
// Models", 2021), in Hugging Face folders.
#include "converter/architectures/architecture.h"
#include "converter/architectures/encoder_decoder.h"
#include "converter/architectures/vision_encoder.h"
#include "converter/features/image_processor.h"
#include "converter/generation_config.h"

#include <algorithm>
#include <cmath>
#include <filesystem>

namespace fovea {
namespace {

constexpr uint32_t kUsualCache = 256;

Config part(const Config &c, const char *key) {
  const Json *found = c.find(key);
  if (!found) fail(ErrorCode::InvalidFile, c.path(), ": '", key, "' is missing");
  return {*found, c.path()};
}

void refuse(const Config &c, const char *key, bool unless) {
  if (c.find_bool(key).value_or(unless) != unless)
    fail(ErrorCode::Unsupported, c.path(), ": decoder.", key, " is ", !unless, ", which is not supported");
}

// ---- GPT-2

EncoderDecoder read_gpt2(const Config &c) {
  EncoderDecoder m;
  BlockSpec &s = m.decoder;
  s.width = c.get_u32("n_embd");
  s.heads = c.get_u32("n_head");
  s.ffn = c.find_u32("n_inner").value_or(uint32_t(4 * s.width));
  s.pre_norm = true;
  s.act = read_activation(c, std::string_view("activation_function"), "gelu_new");
  s.eps = float(c.find_number("layer_norm_epsilon").value_or(1e-5));
  refuse(c, "scale_attn_weights", true);
  refuse(c, "scale_attn_by_inverse_layer_idx", false);
  m.decoder_layers = c.get_u32("n_layer");
  m.vocabulary = m.decoder_vocabulary = c.get_u32("vocab_size");
  m.positions = c.get_u32("n_positions");
  m.decoder_words = "decoder.transformer.wte";
  m.logits = c.find_bool("tie_word_embeddings").value_or(true) ? m.decoder_words : "decoder.lm_head";
  m.decoder_norm = "decoder.transformer.ln_f";
  return m;
}

void add_gpt2_tensors(const Source &source, const EncoderDecoder &m, ModelPlan &plan) {
  const uint64_t d = m.decoder.width, ffn = m.decoder.ffn;
  const uint64_t wide = m.cross_width ? m.cross_width : d;
  const TensorClass usual = matrix_class(d), delicate = TensorClass::Delicate;
  BlockTensors tensors(source, plan, m.decoder);
  plan.add_tensor("tok.w", {m.decoder_vocabulary, d}, TensorClass::Vocabulary, m.decoder_words + ".weight");
  plan.add_tensor("dec.pos", {m.positions, d}, TensorClass::Exact, "decoder.transformer.wpe.weight");
  for (uint32_t i = 0; i < m.decoder_layers; ++i) {
    const std::string to = concat("dec.", i), from = concat("decoder.transformer.h.", i, ".");
    tensors.norm(to + ".ln", from + "ln_1");
    add_columns(plan, to + ".q", from + "attn.c_attn", d, d, usual, 0, 3 * d);
    add_columns(plan, to + ".k", from + "attn.c_attn", d, d, usual, d, 3 * d);
    add_columns(plan, to + ".v", from + "attn.c_attn", d, d, delicate, 2 * d, 3 * d);
    add_columns(plan, to + ".o", from + "attn.c_proj", d, d, usual, 0, d);
    tensors.norm(to + ".ln_cross", from + "ln_cross_attn");
    add_columns(plan, to + ".cross_q", from + "crossattention.q_attn", d, d, usual, 0, d);
    add_columns(plan, to + ".cross_k", from + "crossattention.c_attn", d, wide, usual, 0, 2 * d);
    add_columns(plan, to + ".cross_v", from + "crossattention.c_attn", d, wide, delicate, d, 2 * d);
    add_columns(plan, to + ".cross_o", from + "crossattention.c_proj", d, d, usual, 0, d);
    tensors.norm(to + ".ln_mlp", from + "ln_2");
    add_columns(plan, to + ".fc1", from + "mlp.c_fc", ffn, d, usual, 0, ffn);
    add_columns(plan, to + ".fc2", from + "mlp.c_proj", d, ffn, delicate, 0, d);
  }
  tensors.norm("dec.ln", m.decoder_norm);
  if (m.logits != m.decoder_words)
    plan.add_tensor("head.w", {m.decoder_vocabulary, d}, TensorClass::Vocabulary, m.logits + ".weight");
  // The causal mask of older files, and the tied matrix.
  for (const char *pattern :
       {"decoder.transformer.h.*.attn.bias", "decoder.transformer.h.*.attn.masked_bias",
        "decoder.transformer.h.*.crossattention.bias", "decoder.transformer.h.*.crossattention.masked_bias"})
    plan.ignored.emplace_back(pattern);
  if (m.logits == m.decoder_words) plan.ignored.emplace_back("decoder.lm_head.weight");
}

// ---- TrOCR

EncoderDecoder read_trocr(const Config &c, const Source &source) {
  const std::string at = "decoder.model.decoder.";
  EncoderDecoder m;
  BlockSpec &s = m.decoder;
  s.width = c.find_u32("d_model").value_or(c.find_u32("hidden_size").value_or(1024));
  s.heads = c.find_u32("decoder_attention_heads").value_or(c.find_u32("num_attention_heads").value_or(16));
  s.ffn = c.get_u32("decoder_ffn_dim");
  s.act = read_activation(c, std::string_view("activation_function"), "gelu");
  m.decoder_layers = c.find_u32("decoder_layers").value_or(c.find_u32("num_hidden_layers").value_or(12));
  m.vocabulary = m.decoder_vocabulary = c.get_u32("vocab_size");
  m.positions = c.find_u32("max_position_embeddings").value_or(512);
  if (c.find_bool("scale_embedding").value_or(false)) m.embedding_scale = float(std::sqrt(double(s.width)));
  m.decoder_words = at + "embed_tokens";
  m.logits =
      source.find("decoder.output_projection.weight") && !c.find_bool("tie_word_embeddings").value_or(true)
          ? "decoder.output_projection"
          : m.decoder_words;
  if (c.find_bool("use_learned_position_embeddings").value_or(true)) {
    m.decoder_places = at + "embed_positions";
    m.first_position = 2;
  }
  if (c.find_bool("layernorm_embedding").value_or(true))
    m.decoder_embedding_norm = at + "layernorm_embedding";
  m.decoder_layer = at + "layers.";
  m.self_attention = {"self_attn_layer_norm", "self_attn.q_proj", "self_attn.k_proj", "self_attn.v_proj",
                      "self_attn.out_proj"};
  m.cross_attention = {"encoder_attn_layer_norm", "encoder_attn.q_proj", "encoder_attn.k_proj",
                       "encoder_attn.v_proj", "encoder_attn.out_proj"};
  m.decoder_mlp = {"final_layer_norm", "fc1", "fc2"};
  m.ignored = {at + "embed_positions.*", at + "version"};
  if (m.logits == m.decoder_words) m.ignored.emplace_back("decoder.output_projection.weight");
  return m;
}

// tensor2tensor's waves: the sines of all frequencies, then their cosines; a sequence starts after the
// padding.
std::vector<float> waves(uint64_t positions, uint64_t width, uint64_t first) {
  std::vector<float> out(positions * width);
  const uint64_t half = width / 2;
  const float step = float(std::log(10000.0) / double(half - 1));
  for (uint64_t p = 0; p < positions; ++p)
    for (uint64_t j = 0; j < half; ++j) {
      const float angle = float(first + p) * std::exp(-float(j) * step);
      out[p * width + j] = std::sin(angle);
      out[p * width + half + j] = std::cos(angle);
    }
  return out;
}

void use_waves(const EncoderDecoder &m, uint32_t padding, ModelPlan &plan) {
  for (OutputTensor &t : plan.tensors)
    if (t.name == "dec.pos")
      t.combine = [n = m.positions, d = m.decoder.width, padding](auto) { return waves(n, d, padding + 1); };
}

// ---- both

Graph encode_graph(const VisionEncoder &e, const EncoderDecoder &m, bool projected) {
  BlockBuilder b("encode", e.blocks);
  const Value x = add_vision_encoder(b, e, add_pixels(b.g, e, "G"), "encoder_attention");
  const Value encoder = b.g.output("encoder", b.norm_op(x, e.at + "ln"));
  const Value rows = projected ? b.linear("rows", encoder, "project") : encoder;
  b.spec = m.decoder; // whose biases keys and values have
  for (uint32_t i = 0; i < m.decoder_layers; ++i)
    b.store_cross(rows, concat("dec.", i), cross_keys(b.g, m, "ck", i), cross_keys(b.g, m, "cv", i));
  return b.g;
}

ModelPlan build(const Source &source, Encoding encoding) {
  const Config c = Config::parse(source.text("config.json").value_or("{}"), source.text_path("config.json"));
  const Config encoder = part(c, "encoder"), decoder = part(c, "decoder");
  const std::string from = encoder.get_string("model_type"), to = decoder.get_string("model_type");
  if (from != "vit" && from != "deit")
    fail(ErrorCode::Unsupported, c.path(), ": encoder.model_type '", printable(from),
         "' (vit and deit are known)");
  if (to != "gpt2" && to != "trocr")
    fail(ErrorCode::Unsupported, c.path(), ": decoder.model_type '", printable(to),
         "' (gpt2 and trocr are known)");
  VisionEncoder e = read_vit_encoder(encoder, "encoder.", from == "deit");
  e.at = "image.";
  EncoderDecoder m = to == "gpt2" ? read_gpt2(decoder) : read_trocr(decoder, source);
  m.architecture = "vision-encoder-decoder";
  m.encoder = m.decoder; // what the checks look at
  m.encoder_layers = 1;
  m.cache = encoding == Encoding::F32 ? Encoding::F32 : Encoding::F16;
  const bool projected = source.find("enc_to_dec_proj.weight") != nullptr;
  if (!projected && e.blocks.width != m.decoder.width) m.cross_width = e.blocks.width;
  check_encoder_decoder(m, decoder);

  ModelPlan plan;
  plan.architecture = m.architecture;
  plan.add("general.name", std::filesystem::path(source.path()).lexically_normal().filename().string());
  plan.add("fovea.task", std::string("caption"));
  plan.add("fovea.run.graphs", std::vector<std::string>{"encode", "decoder"});
  plan.add("fovea.size.S", uint32_t(e.rows_before() + e.grid_h() * e.grid_w()));
  plan.add("fovea.size.C", std::min(m.positions, kUsualCache));
  add_generation_metadata(source, c, {m.decoder_vocabulary, m.positions},
                          "`fovea caption` will give token ids alone (--json)", plan);
  add_preprocess(read_image_processor(
                     source, from == "vit" ? ImageProcessorType::Vit : ImageProcessorType::Deit, e.image_h),
                 plan);
  const Graph encode = encode_graph(e, m, projected);
  plan.graphs.emplace_back(encode.name(), print_graph(encode));
  for (const Graph &graph : decoder_graphs(m)) plan.graphs.emplace_back(graph.name(), print_graph(graph));
  add_vision_tensors(plan, source, e, encoding);
  if (projected)
    BlockTensors(source, plan, m.decoder)
        .linear("project", "enc_to_dec_proj", m.decoder.width, e.blocks.width, true, TensorClass::Delicate);
  if (to == "gpt2")
    add_gpt2_tensors(source, m, plan);
  else
    add_decoder_tensors(source, m, plan);
  if (to == "trocr" && m.decoder_places.empty())
    use_waves(m, decoder.find_u32("pad_token_id").value_or(1), plan);
  for (const std::string &name : m.ignored) plan.ignored.push_back(name);
  for (const char *name : {"encoder.pooler.*", "encoder.embeddings.mask_token"})
    plan.ignored.emplace_back(name);
  return plan;
}

} // namespace

extern const Architecture kVisionEncoderDecoder;
const Architecture kVisionEncoderDecoder = {"vision-encoder-decoder", {"vision-encoder-decoder"}, build};

} // namespace fovea
