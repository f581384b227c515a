// DETR (Carion et al., "End-to-End Object Detection with Transformers", 2020): a residual backbone under
// either naming, an encoder over its map, a decoder over learned queries, and heads for classes and boxes.
// Hugging Face folders; of panoptic models, the detector.
#include "converter/architectures/architecture.h"

#include "converter/architectures/activation.h"
#include "converter/architectures/attention_block.h"
#include "converter/architectures/residual_network.h"
#include "converter/features/image_processor.h"
#include "converter/labels.h"
#include "ops/binary.h"
#include "ops/layer_norm.h"
#include "ops/map_positions.h"
#include "ops/repeat.h"
#include "ops/unary.h"

#include <algorithm>
#include <charconv>
#include <filesystem>

namespace fovea {
namespace {

constexpr float kFullTurn = 6.28318530717958648f;

struct Sizes {
  uint64_t width = 256, encoder_ffn = 2048, decoder_ffn = 2048, queries = 100;
  uint32_t encoder_layers = 6, decoder_layers = 6, encoder_heads = 8, decoder_heads = 8;
  Activation act = Activation::Relu;
  bool learned_positions = false;
};

Sizes read_sizes(const Config &c) {
  Sizes s;
  const auto number = [&](const char *key, uint32_t fallback, uint32_t most) {
    const uint32_t v = c.find_u32(key).value_or(fallback);
    if (v == 0 || v > most)
      fail(ErrorCode::InvalidFile, c.path(), ": ", key, " is ", v, ", expected 1 to ", most);
    return v;
  };
  s.width = number("d_model", 256, 1 << 14);
  s.encoder_ffn = number("encoder_ffn_dim", 2048, 1 << 16);
  s.decoder_ffn = number("decoder_ffn_dim", 2048, 1 << 16);
  s.queries = number("num_queries", 100, 1 << 16);
  s.encoder_layers = number("encoder_layers", 6, 256);
  s.decoder_layers = number("decoder_layers", 6, 256);
  s.encoder_heads = number("encoder_attention_heads", 8, 1 << 10);
  s.decoder_heads = number("decoder_attention_heads", 8, 1 << 10);
  s.act = read_activation(c, "activation_function", "relu");
  for (const uint32_t heads : {s.encoder_heads, s.decoder_heads})
    if (s.width % heads != 0 || s.width % 2 != 0)
      fail(ErrorCode::InvalidFile, c.path(), ": d_model ", s.width, " is not even or no multiple of ", heads,
           " heads");
  const std::string positions = c.find_string("position_embedding_type").value_or("sine");
  if (positions != "sine" && positions != "learned")
    fail(ErrorCode::Unsupported, c.path(), ": position_embedding_type '", printable(positions),
         "' (sine and learned are known)");
  s.learned_positions = positions == "learned";
  return s;
}

// The last stage that the backbone hands out, 1 …; 0: the last there is.
uint32_t last_stage(const Config &backbone) {
  uint32_t last = 0;
  if (const Json *names = backbone.find("out_features")) {
    for (const Json &name : *names) {
      const std::string text = name.is_string() ? name.get<std::string>() : "";
      uint32_t n = 0;
      if (text.starts_with("stage")) std::from_chars(text.data() + 5, text.data() + text.size(), n);
      if (n == 0 || n > 64)
        fail(ErrorCode::Unsupported, backbone.path(), ": out_features has '", printable(text),
             "'; stages are expected");
      last = std::max(last, n);
    }
  } else if (const auto indices = backbone.find_i32s("out_indices")) {
    for (const int32_t i : *indices) last = std::max(last, uint32_t(std::clamp(i, 0, 64)));
  }
  return last;
}

ResidualNetwork read_backbone(const Source &source, const Config &c, const std::string &body) {
  const Json *nested = c.find("backbone_config");
  const Config backbone(nested && nested->is_object() ? *nested : Json::object(),
                        c.path() + ": backbone_config");
  for (const char *at : {"backbone.conv_encoder.model.", "backbone.model.",
                         "backbone.conv_encoder.model._backbone.", "backbone.conv_encoder.", "backbone."}) {
    const std::string prefix = body + at;
    if (source.find(prefix + "embedder.embedder.convolution.weight"))
      return ResidualNetwork::from_config(backbone, prefix, last_stage(backbone));
    if (!source.find(prefix + "conv1.weight")) continue;
    uint32_t stride = backbone.find_u32("output_stride").value_or(32);
    if (const Json *kwargs = c.find("backbone_kwargs"); kwargs && kwargs->is_object())
      stride = Config(*kwargs, c.path() + ": backbone_kwargs").find_u32("output_stride").value_or(stride);
    if (c.find_bool("dilation").value_or(false)) stride = 16;
    if (stride != 32 && stride != 16)
      fail(ErrorCode::Unsupported, c.path(), ": output_stride ", stride,
           " of the backbone (32 and 16 are known)");
    return ResidualNetwork::from_tensors(source, prefix, stride == 16, last_stage(backbone));
  }
  fail(ErrorCode::Unsupported, source.path(), ": under ", body,
       "backbone there is no residual network (backbone '", printable(c.find_string("backbone").value_or("")),
       "', model_type '", printable(backbone.find_string("model_type").value_or("")), "')");
}

// Appends layers to the graph and their tensors to the plan, in one go.
class Builder {
public:
  Builder(const Source &source, const Sizes &s, std::string root, ModelPlan &plan)
      : g("forward"), source_(source), s_(s), root_(std::move(root)), plan_(plan) {}

  std::string body() const { return root_ + "model."; }

  // The backbone's map → queries that know their objects [B, Q, D].
  Value decode(Value map, uint64_t channels) {
    const uint64_t d = s_.width;
    plan_.add_tensor("input.w", {d, channels}, TensorClass::Delicate, body() + "input_projection.weight");
    plan_.add_tensor("input.b", {d}, TensorClass::Exact, body() + "input_projection.bias");
    Value x = g.add("x", Linear{map, g.weight("input.w"), g.weight("input.b"), {}, Activation::None});
    const Value positions = add_positions(x);
    for (uint32_t i = 0; i < s_.encoder_layers; ++i) {
      const std::string to = concat("enc.", i), from = concat(body(), "encoder.layers.", i, ".");
      x = self_attention(x, positions, to, from, s_.encoder_heads, concat("encoder_attention.", i));
      x = mlp(x, to, from, s_.encoder_ffn);
    }
    const Value keys = g.add("keys", Binary{x, positions});

    plan_.add_tensor("queries", {s_.queries, d}, TensorClass::Exact,
                     body() + "query_position_embeddings.weight");
    const uint64_t n = s_.queries * d;
    plan_.add_computed("start", {s_.queries, d}, TensorClass::Exact, [n] { return std::vector<float>(n); });
    const Value queries = g.weight("queries");
    Value y = g.add("y", Repeat{g.weight("start"), x});
    for (uint32_t i = 0; i < s_.decoder_layers; ++i) {
      const std::string to = concat("dec.", i), from = concat(body(), "decoder.layers.", i, ".");
      y = self_attention(y, queries, to, from, s_.decoder_heads, concat("attention.", i));
      const Value asking = g.add("p", Binary{y, queries});
      y = attention(asking, keys, x, y, to + ".cross", from + "encoder_attn.", s_.decoder_heads,
                    concat("cross_attention.", i));
      y = norm(y, to + ".ln_cross", from + "encoder_attn_layer_norm");
      y = mlp(y, to, from, s_.decoder_ffn);
    }
    return norm(y, "dec.ln", body() + "decoder.layernorm");
  }

  void detect(Value y, uint32_t n_classes) {
    const uint64_t d = s_.width;
    linear_tensors("classes", root_ + "class_labels_classifier", n_classes, d, TensorClass::Vocabulary);
    g.output("logits", linear_op(y, "classes"));
    for (int i = 0; i < 3; ++i)
      linear_tensors(concat("box.", i), concat(root_, "bbox_predictor.layers.", i), i < 2 ? d : 4, d,
                     TensorClass::Delicate);
    Value box = g.add("b", linear_op(y, "box.0", Activation::Relu));
    box = g.add("b", linear_op(box, "box.1", Activation::Relu));
    g.output("boxes", linear_op(box, "box.2", Activation::Sigmoid));
  }

  Graph g;

private:
  Value add_positions(Value map) {
    MapPositions op{map, {}, {}, uint32_t(s_.width / 2)};
    if (!s_.learned_positions) {
      op.scale = kFullTurn;
      return g.add("positions", op);
    }
    std::string at = body() + "position_embedding.";
    if (!source_.find(at + "row_embeddings.weight")) at = body() + "backbone.position_embedding.";
    for (const auto &[name, from] :
         {std::pair{"columns", "column_embeddings.weight"}, {"rows", "row_embeddings.weight"}})
      plan_.add_tensor(name, {kLearnedPositions, s_.width / 2}, TensorClass::Exact, at + from);
    op.columns = g.weight("columns");
    op.rows = g.weight("rows");
    return g.add("positions", op);
  }
  void linear_tensors(const std::string &to, const std::string &from, uint64_t n, uint64_t k, TensorClass c) {
    plan_.add_tensor(to + ".w", {n, k}, c, from + ".weight");
    plan_.add_tensor(to + ".b", {n}, TensorClass::Exact, from + ".bias");
  }
  Linear linear_op(Value x, const std::string &at, Activation act = Activation::None, Value residual = {}) {
    return {x, g.weight(at + ".w"), g.weight(at + ".b"), residual, act};
  }
  Value norm(Value x, const std::string &at, const std::string &from) {
    plan_.add_tensor(at + ".g", {s_.width}, TensorClass::Exact, from + ".weight");
    plan_.add_tensor(at + ".b", {s_.width}, TensorClass::Exact, from + ".bias");
    return g.add("x", LayerNorm{x, g.weight(at + ".g"), g.weight(at + ".b"), 1e-5f});
  }
  // residual + attention: positions are in q and k, never in v.
  Value attention(Value q_from, Value k_from, Value v_from, Value residual, const std::string &to,
                  const std::string &from, uint32_t heads, const std::string &offered) {
    const uint64_t d = s_.width;
    const char *out = source_.find(from + "o_proj.weight") ? "o_proj" : "out_proj";
    for (const auto &[part, name] :
         {std::pair{".q", "q_proj"}, {".k", "k_proj"}, {".v", "v_proj"}, {".o", out}})
      linear_tensors(to + part, from + name, d, d, TensorClass::Delicate);
    AttentionFields fields;
    fields.q = g.add("q", linear_op(q_from, to + ".q"));
    fields.k = g.add("k", linear_op(k_from, to + ".k"));
    fields.heads = heads;
    const Value v = g.add("v", linear_op(v_from, to + ".v"));
    const Value a = add_attention(g, std::move(fields), v, offered);
    return g.add("x", linear_op(a, to + ".o", Activation::None, residual));
  }
  Value self_attention(Value x, Value positions, const std::string &to, const std::string &from,
                       uint32_t heads, const std::string &offered) {
    const Value placed = g.add("p", Binary{x, positions});
    x = attention(placed, placed, x, x, to + ".self", from + "self_attn.", heads, offered);
    return norm(x, to + ".ln", from + "self_attn_layer_norm");
  }
  Value mlp(Value x, const std::string &to, const std::string &from, uint64_t ffn) {
    const std::string at = source_.find(from + "mlp.fc1.weight") ? from + "mlp." : from;
    linear_tensors(to + ".fc1", at + "fc1", ffn, s_.width, TensorClass::Delicate);
    linear_tensors(to + ".fc2", at + "fc2", s_.width, ffn, TensorClass::Delicate);
    const Value f = g.add("f", linear_op(x, to + ".fc1", s_.act));
    return norm(g.add("x", linear_op(f, to + ".fc2", Activation::None, x)), to + ".ln_mlp",
                from + "final_layer_norm");
  }

  static constexpr uint64_t kLearnedPositions = 50; // of the published code
  const Source &source_;
  const Sizes &s_;
  std::string root_;
  ModelPlan &plan_;
};

ModelPlan build(const Source &source, Encoding encoding) {
  const Config c = Config::parse(source.text("config.json").value_or("{}"), source.text_path("config.json"));
  const Sizes s = read_sizes(c);
  const std::string root = source.find("detr.class_labels_classifier.weight") ? "detr." : "";
  const SourceTensor *classes = source.find(root + "class_labels_classifier.weight");
  if (!classes)
    fail(ErrorCode::Unsupported, source.path(),
         ": the model has no detection head (class_labels_classifier.weight)");
  if (classes->shape.rank() != 2 || classes->shape[0] < 2 || classes->shape[0] > 1 << 16)
    fail(ErrorCode::InvalidFile, source.path(), ": ", classes->name, " is ", classes->shape);
  const auto n_classes = uint32_t(classes->shape[0]);

  ModelPlan plan;
  plan.architecture = "detr";
  plan.add("general.name", std::filesystem::path(source.path()).lexically_normal().filename().string());
  plan.add("fovea.run.graphs", std::vector<std::string>{"forward"});
  plan.add("fovea.task", std::string("detect"));
  // The last class is no object.
  plan.add("fovea.detect.labels", read_labels(c, n_classes - 1));
  add_preprocess(read_image_processor(source, ImageProcessorType::Detr, 800), plan);
  Builder b(source, s, root, plan);
  const ResidualNetwork net = read_backbone(source, c, b.body());
  net.add_tensors(plan, encoding);
  b.detect(b.decode(net.build(b.g, add_image_input(b.g, net.channels())), net.width()), n_classes);
  plan.graphs.emplace_back(b.g.name(), print_graph(b.g));
  for (const char *pattern : {"mask_head.*", "bbox_attention.*"}) plan.ignored.emplace_back(pattern);
  return plan;
}

} // namespace

extern const Architecture kDetr;
const Architecture kDetr = {"detr", {"detr"}, build};

} // namespace fovea
