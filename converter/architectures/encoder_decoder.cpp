#include "converter/architectures/encoder_decoder.h"

#include "converter/generation_config.h"

#include <cmath>
#include <filesystem>

namespace fovea {
namespace {

// [pos, j]: the sines of every second frequency, then their cosines (Marian's order, not interleaved).
std::vector<float> sinusoids(uint64_t positions, uint64_t width) {
  std::vector<float> out(positions * width);
  const uint64_t half = (width + 1) / 2;
  for (uint64_t p = 0; p < positions; ++p)
    for (uint64_t j = 0; j < width; ++j) {
      const double angle = double(p) / std::pow(10000.0, 2.0 * double(j / 2) / double(width));
      out[p * width + j / 2 + (j % 2 ? half : 0)] = float(j % 2 ? std::cos(angle) : std::sin(angle));
    }
  return out;
}

class Tensors {
public:
  Tensors(const Source &source, const EncoderDecoder &model, ModelPlan &plan)
      : source_(source), m(model), plan_(plan) {}

  void add_all() {
    const uint64_t d = m.decoder.width;
    add_words();
    if (m.words != m.decoder_words)
      plan_.add_tensor("enc.tok.w", {m.vocabulary, d}, TensorClass::Vocabulary, m.words + ".weight");
    BlockTensors encoder(source_, plan_, m.encoder);
    add_positions("enc.pos", m.encoder_places);
    add_bias("enc.bias", m.encoder_bias, m.encoder.heads, true);
    if (!m.encoder_embedding_norm.empty()) encoder.norm("enc.emb_ln", m.encoder_embedding_norm);
    for (uint32_t i = 0; i < m.encoder_layers; ++i) {
      const std::string to = concat("enc.", i), from = concat(m.encoder_layer, i, ".");
      encoder.attention(to, from, m.encoder_attention);
      encoder.mlp(to, from, m.encoder_mlp);
    }
    if (!m.encoder_norm.empty()) encoder.norm("enc.ln", m.encoder_norm);
    add_blocks();
  }

  void add_decoder() {
    add_words();
    add_blocks();
  }

private:
  void add_words() {
    const uint64_t d = m.decoder.width;
    // Rows of the output matrix, then its bias: one binding covers both.
    plan_.add_tensor("tok.w", {m.decoder_vocabulary, d}, TensorClass::Vocabulary,
                     m.decoder_words + ".weight");
    if (m.logits == m.decoder_words) add_logits_bias();
  }

  void add_blocks() {
    const uint64_t d = m.decoder.width;
    BlockTensors decoder(source_, plan_, m.decoder);
    add_positions("dec.pos", m.decoder_places);
    add_bias("dec.bias", m.decoder_bias, m.decoder.heads, false);
    if (!m.decoder_embedding_norm.empty()) decoder.norm("dec.emb_ln", m.decoder_embedding_norm);
    for (uint32_t i = 0; i < m.decoder_layers; ++i) {
      const std::string to = concat("dec.", i), from = concat(m.decoder_layer, i, ".");
      decoder.attention(to, from, m.self_attention);
      decoder.attention(to, from, m.cross_attention, "cross_", m.cross_width);
      decoder.mlp(to, from, m.decoder_mlp);
    }
    if (!m.decoder_norm.empty()) {
      decoder.norm("dec.ln", m.decoder_norm);
      if (m.logits_scale != 1) scale_last(plan_.tensors.back());
    }
    if (m.logits != m.decoder_words) {
      plan_.add_tensor("head.w", {m.decoder_vocabulary, d}, TensorClass::Vocabulary, m.logits + ".weight");
      add_logits_bias();
    }
  }

  void add_logits_bias() {
    if (!m.logits_bias.empty())
      plan_.add_tensor("head.b", {m.decoder_vocabulary}, TensorClass::Exact, m.logits_bias);
  }

  // The factor of the logits goes into the norm before them.
  void scale_last(OutputTensor &gamma) {
    gamma.combine = [factor = m.logits_scale](std::span<const std::vector<float>> inputs) {
      std::vector<float> out = inputs[0];
      for (float &v : out) v *= factor;
      return out;
    };
  }

  void add_positions(const std::string &to, const std::string &from) {
    if (m.positions == 0) return;
    const uint64_t n = m.positions, width = m.decoder.width, skip = m.first_position * width;
    if (from.empty()) {
      plan_.add_computed(to, {n, width}, TensorClass::Exact, [n, width] { return sinusoids(n, width); });
      return;
    }
    OutputTensor out{
        to, {n, width}, TensorClass::Exact, {{from + ".weight", {m.first_position + n, width}}}, {}};
    if (skip > 0)
      out.combine = [skip](std::span<const std::vector<float>> inputs) {
        return std::vector<float>(inputs[0].begin() + ptrdiff_t(skip), inputs[0].end());
      };
    plan_.tensors.push_back(std::move(out));
  }

  // [buckets, H] → [H, 2 max_distance + 1], by distance.
  void add_bias(const std::string &to, const std::string &from, uint64_t heads, bool both_ways) {
    if (from.empty()) return;
    const uint32_t buckets = m.buckets, reach = m.max_distance;
    OutputTensor out{
        to, {heads, 2ull * reach + 1}, TensorClass::Exact, {{from + ".weight", {buckets, heads}}}, {}};
    out.combine = [=](std::span<const std::vector<float>> inputs) {
      std::vector<float> table;
      for (uint64_t h = 0; h < heads; ++h)
        for (int64_t distance = -int64_t(reach); distance <= int64_t(reach); ++distance)
          table.push_back(
              inputs[0][distance_bucket(int32_t(distance), both_ways, buckets, reach) * heads + h]);
      return table;
    };
    plan_.tensors.push_back(std::move(out));
  }

  const Source &source_;
  const EncoderDecoder &m;
  ModelPlan &plan_;
};

} // namespace

uint32_t distance_bucket(int32_t distance, bool both_ways, uint32_t n_buckets, uint32_t max_distance) {
  uint32_t first = 0;
  if (both_ways) {
    n_buckets /= 2;
    if (distance > 0) first = n_buckets;
  }
  const uint32_t away = both_ways ? uint32_t(std::abs(distance)) : uint32_t(std::max(-distance, 0));
  const uint32_t exact = n_buckets / 2;
  if (away < exact) return first + away;
  // In binary32 and in this order: it decides on which side of an edge a distance falls.
  const float log_steps = std::log(float(away) / float(exact)) /
                          float(std::log(double(max_distance) / double(exact))) * float(n_buckets - exact);
  return first + std::min(exact + uint32_t(log_steps), n_buckets - 1);
}

void check_encoder_decoder(const EncoderDecoder &m, const Config &c) {
  const auto check = [&](const char *what, uint64_t value, uint64_t low, uint64_t high) {
    if (value < low || value > high)
      fail(ErrorCode::InvalidFile, c.path(), ": ", what, " is ", value, ", expected ", low, " to ", high);
  };
  check("the vocabulary", m.vocabulary, 2, 1 << 24);
  check("the decoder's vocabulary", m.decoder_vocabulary, 2, 1 << 24);
  check("the number of positions", m.positions, 0, 1 << 20);
  check("the number of encoder layers", m.encoder_layers, 1, 1024);
  check("the number of decoder layers", m.decoder_layers, 1, 1024);
  for (const BlockSpec *s : {&m.encoder, &m.decoder}) {
    check("the width", s->width, 2, 1 << 16);
    check("the width of MLPs", s->ffn, 1, 1 << 20);
    check("the size of heads", s->head_size, 0, 1 << 12);
    if (s->heads == 0 || s->heads > 4096 || (s->head_size == 0 && s->width % s->heads != 0))
      fail(ErrorCode::InvalidFile, c.path(), ": the width ", s->width, " is not a multiple of ", s->heads,
           " heads");
  }
  if (m.buckets > 0) {
    check("relative_attention_num_buckets", m.buckets, 4, 1 << 16);
    check("relative_attention_max_distance", m.max_distance, m.buckets / 2 + 1, 1 << 20);
  }
}

ModelPlan plan_encoder_decoder(const Source &source, const Config &config, const EncoderDecoder &m) {
  ModelPlan plan;
  plan.architecture = m.architecture;
  plan.add("general.name", std::filesystem::path(source.path()).lexically_normal().filename().string());
  plan.add("fovea.task", std::string("translate"));
  plan.add("fovea.run.graphs", std::vector<std::string>{"encode", "decoder"});
  constexpr uint32_t kUsualCache = 256; // rows, where no task says how many it needs
  plan.add("fovea.size.C", m.positions ? std::min(m.positions, kUsualCache) : kUsualCache);
  add_generation_metadata(source, config, {m.decoder_vocabulary, m.positions},
                          "`fovea translate` will take and give token ids alone (--ids)", plan);
  for (const Graph &graph : encoder_decoder_graphs(m))
    plan.graphs.emplace_back(graph.name(), print_graph(graph));
  Tensors(source, m, plan).add_all();
  plan.ignored = m.ignored;
  return plan;
}

void add_decoder_tensors(const Source &source, const EncoderDecoder &model, ModelPlan &plan) {
  Tensors(source, model, plan).add_decoder();
}

} // namespace fovea
