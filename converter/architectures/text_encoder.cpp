#include "converter/architectures/text_encoder.h"

#include "converter/architectures/architecture.h"
#include "converter/architectures/sentence_embedding.h"
#include "converter/labels.h"
#include "converter/tokenizers/tokenizer.h"
#include "ops/binary.h"
#include "ops/copy.h"
#include "ops/embed.h"

#include <algorithm>
#include <filesystem>

namespace fovea {
namespace {

using Kind = TextEncoder::Head::Kind;
constexpr uint32_t kMaxLayers = 1024;

// ---- graph

Value embeddings(BlockBuilder &b, const TextEncoder &e, Value tokens) {
  Value x = b.g.add("x", Embed{tokens, b.g.weight("emb.tok.w"), b.g.weight("emb.pos"), {}});
  if (e.types > 1) {
    const Value types = b.g.find("types");
    x = b.g.add("x",
                Binary{x, b.g.add("t", Embed{types, b.g.weight("emb.type"), {}, {}}), BinaryFunction::Add});
  }
  x = b.norm(x, "emb.ln");
  return e.map.empty() ? x : b.g.add("x", b.linear_op(x, "emb.map", true));
}

void token_logits(BlockBuilder &b, const TextEncoder &e, Value hidden) {
  const Value h = b.norm(b.g.add("h", b.linear_op(hidden, "head.dense", true, e.head.act)), "head.ln");
  Linear out;
  out.x = h;
  out.weight = b.g.weight(e.head.matrix.empty() ? "emb.tok.w" : "head.out.w");
  out.bias = b.g.weight("head.out.b");
  b.g.output("logits", out);
}

Graph forward(const TextEncoder &e, const SentenceEmbedding &sentence) {
  BlockBuilder b("forward", e.blocks);
  const Value tokens = b.g.input("tokens", Encoding::I32, {"B", "T"});
  const Value mask = b.g.input("mask", Encoding::I32, {"B", "T"}, 1);
  if (e.types > 1) b.g.input("types", Encoding::I32, {"B", "T"}, 0);
  Value x = embeddings(b, e, tokens);
  for (uint32_t i = 0; i < e.order.size(); ++i)
    x = b.block(x, concat("enc.", e.order[i]), {mask, {}, concat("attention.", i)});
  b.g.output("hidden", Copy{x});
  if (e.head.kind == Kind::Tokens) token_logits(b, e, x);
  if (e.head.kind != Kind::Classes) sentence.add(b.g, x, mask);
  if (e.pooler.empty() && e.head.kind != Kind::Classes) return b.g;
  Value first = b.g.add("first", PoolRows{x, {}, PoolFunction::First});
  if (!e.pooler.empty()) {
    const Value pooled = b.g.output("pooled", b.linear_op(first, "pooler", true, Activation::Tanh));
    if (e.head.of_pooled) first = pooled;
  }
  if (e.head.kind == Kind::Classes) {
    if (!e.head.dense.empty()) first = b.g.add("h", b.linear_op(first, "head.dense", true, e.head.act));
    b.g.output("logits", b.linear_op(first, "head.out", true));
  }
  return b.g;
}

// ---- tensors

// The rows of real positions; with one kind of token only, its row added to each.
void add_positions(const TextEncoder &e, ModelPlan &plan) {
  const uint64_t width = e.embedding_width, skip = e.first_position * width;
  OutputTensor out{"emb.pos",
                   {e.positions, width},
                   TensorClass::Exact,
                   {{e.prefix + e.places + ".weight", {e.first_position + e.positions, width}}},
                   {}};
  if (e.types == 1) out.inputs.push_back({e.prefix + e.kinds + ".weight", {1, width}});
  if (skip > 0 || e.types == 1)
    out.combine = [skip, width](std::span<const std::vector<float>> inputs) {
      std::vector<float> rows(inputs[0].begin() + ptrdiff_t(skip), inputs[0].end());
      if (inputs.size() > 1)
        for (size_t i = 0; i < rows.size(); ++i) rows[i] += inputs[1][i % width];
      return rows;
    };
  plan.tensors.push_back(std::move(out));
}

void add_tensors(const Source &source, const TextEncoder &e, ModelPlan &plan) {
  BlockTensors t(source, plan, e.blocks);
  const uint64_t d = e.blocks.width, width = e.embedding_width;
  const bool tied = e.head.kind == Kind::Tokens && e.head.matrix.empty();
  plan.add_tensor("emb.tok.w", {e.vocabulary, width}, TensorClass::Vocabulary,
                  e.prefix + e.words + ".weight");
  if (tied) plan.add_tensor("head.out.b", {e.vocabulary}, TensorClass::Exact, e.head.bias);
  add_positions(e, plan);
  if (e.types > 1)
    plan.add_tensor("emb.type", {e.types, width}, TensorClass::Exact, e.prefix + e.kinds + ".weight");
  t.norm("emb.ln", e.prefix + e.embedding_norm, width);
  if (!e.map.empty()) t.linear("emb.map", e.prefix + e.map, d, width, true, matrix_class(d));
  for (size_t i = 0; i < e.layers.size(); ++i) {
    const std::string at = concat("enc.", i), from = e.prefix + e.layers[i];
    t.attention(at, from, e.attention);
    t.mlp(at, from, e.mlp);
  }
  if (!e.pooler.empty()) t.linear("pooler", e.prefix + e.pooler, d, d, true, matrix_class(d));
  if (e.head.kind == Kind::Classes) {
    if (!e.head.dense.empty()) t.linear("head.dense", e.head.dense, d, d, true, matrix_class(d));
    t.linear("head.out", e.head.out, e.head.n_classes, d, true, TensorClass::Delicate);
  } else if (e.head.kind == Kind::Tokens) {
    t.linear("head.dense", e.head.dense, width, d, true, matrix_class(d));
    t.norm("head.ln", e.head.norm, width);
    if (!tied) {
      plan.add_tensor("head.out.w", {e.vocabulary, width}, TensorClass::Vocabulary,
                      e.head.matrix + ".weight");
      plan.add_tensor("head.out.b", {e.vocabulary}, TensorClass::Exact, e.head.bias);
    }
  }
}

// What a tokenizer may give at most: the least of what the model and its publisher say.
uint32_t max_tokens(const Source &source, const TextEncoder &e, const SentenceEmbedding &sentence) {
  uint32_t n = e.positions;
  if (sentence.max_tokens) return std::max(1u, std::min(n, *sentence.max_tokens));
  if (const auto text = source.text("tokenizer_config.json"))
    // "no limit" is written as a huge number
    if (const auto most =
            Config::parse(*text, source.text_path("tokenizer_config.json")).find_number("model_max_length"))
      if (*most >= 1 && *most < double(n)) n = uint32_t(*most);
  return n;
}

} // namespace

void check_plain_encoder(const Config &c) {
  for (const char *key : {"is_decoder", "add_cross_attention"})
    if (c.find_bool(key).value_or(false))
      fail(ErrorCode::Unsupported, c.path(), ": ", key, " is true; only encoders are supported");
  if (const auto type = c.find_string("position_embedding_type"); type && *type != "absolute")
    fail(ErrorCode::Unsupported, c.path(), ": position_embedding_type '", printable(*type),
         "' is not supported (absolute is)");
  if (const Json *pruned = c.find("pruned_heads"); pruned && !pruned->empty())
    fail(ErrorCode::Unsupported, c.path(), ": pruned_heads is not empty; such models are not supported");
}

Kind read_head_kind(const Config &c) {
  std::string name;
  if (const Json *list = c.find("architectures");
      list && list->is_array() && !list->empty() && (*list)[0].is_string())
    name = (*list)[0].get<std::string>();
  if (name.empty() || name.ends_with("Model")) return Kind::None;
  if (name.ends_with("ForSequenceClassification")) return Kind::Classes;
  if (name.ends_with("ForMaskedLM") || name.ends_with("ForPreTraining")) return Kind::Tokens;
  fail(ErrorCode::Unsupported, c.path(), ": architectures '", printable(name),
       "' is not supported (…Model, …ForSequenceClassification and …ForMaskedLM are)");
}

TextEncoder read_text_encoder(const Source &source, const Config &c, const std::string &name,
                              const char *default_activation) {
  TextEncoder e;
  e.architecture = model_type(source);
  e.blocks.width = e.embedding_width = c.get_u32("hidden_size");
  e.blocks.ffn = c.get_u32("intermediate_size");
  e.blocks.heads = c.get_u32("num_attention_heads");
  e.blocks.act = read_activation(c, "hidden_act", default_activation);
  e.blocks.eps = float(c.find_number("layer_norm_eps").value_or(1e-12));
  e.vocabulary = c.get_u32("vocab_size");
  e.positions = c.find_u32("max_position_embeddings").value_or(512);
  e.types = c.find_u32("type_vocab_size").value_or(2);
  e.prefix = find_prefix(source, {(name + ".").c_str(), "", "model.", concat("model.", name, ".").c_str()},
                         "embeddings.word_embeddings.weight");
  e.words = "embeddings.word_embeddings";
  e.places = "embeddings.position_embeddings";
  e.kinds = "embeddings.token_type_embeddings";
  e.embedding_norm = "embeddings.LayerNorm";
  e.attention = {"attention.output.LayerNorm", "attention.self.query", "attention.self.key",
                 "attention.self.value", "attention.output.dense"};
  e.mlp = {"output.LayerNorm", "intermediate.dense", "output.dense"};
  return e;
}

void name_token_head(TextEncoder::Head &head, const Config &c, const std::string &dense, Activation act,
                     const std::string &norm, const std::string &bias, const std::string &matrix) {
  head.dense = dense;
  head.act = act;
  head.norm = norm;
  head.bias = bias;
  if (!c.find_bool("tie_word_embeddings").value_or(true)) head.matrix = matrix;
}

void name_pooled_head(const Source &source, const Config &c, TextEncoder &e, const std::string &pooler) {
  const bool classes = e.head.kind == Kind::Classes; // a pooler that they lack is named as missing
  if (classes || source.find(concat(e.prefix, pooler, ".weight"))) e.pooler = pooler;
  if (!classes) return;
  e.head.of_pooled = true;
  e.head.out = "classifier";
  e.head.n_classes = n_labels(c);
}

void add_layers(TextEncoder &e, const std::string &prefix, uint32_t n) {
  for (uint32_t i = 0; i < std::min(n, kMaxLayers + 1); ++i) {
    e.layers.push_back(prefix + std::to_string(i) + ".");
    e.order.push_back(i);
  }
}

void check_text_encoder(const TextEncoder &e, const Config &c) {
  const auto check = [&](const char *what, uint64_t value, uint64_t low, uint64_t high) {
    if (value < low || value > high)
      fail(ErrorCode::InvalidFile, c.path(), ": ", what, " is ", value, ", expected ", low, " to ", high);
  };
  check("the vocabulary", e.vocabulary, 1, 1 << 24);
  check("the number of positions", e.positions, 1, 1 << 20);
  check("type_vocab_size", e.types, 0, 1 << 16);
  check("the width", e.blocks.width, 1, 1 << 16);
  check("the width of embeddings", e.embedding_width, 1, 1 << 16);
  check("the width of MLPs", e.blocks.ffn, 1, 1 << 20);
  check("the number of layers", e.order.size(), 1, kMaxLayers);
  check("the number of classes", e.head.kind == Kind::Classes ? e.head.n_classes : 1, 1, 1 << 20);
  if (e.blocks.heads == 0 || e.blocks.width % e.blocks.heads != 0)
    fail(ErrorCode::InvalidFile, c.path(), ": the width ", e.blocks.width, " is not a multiple of ",
         e.blocks.heads, " heads");
}

ModelPlan plan_text_encoder(const Source &source, const Config &config, const TextEncoder &e) {
  const SentenceEmbedding sentence = read_sentence_embedding(source);
  ModelPlan plan;
  plan.architecture = e.architecture;
  const bool classifies = e.head.kind == Kind::Classes;
  plan.add("general.name", std::filesystem::path(source.path()).lexically_normal().filename().string());
  plan.add("fovea.task", std::string(classifies ? "classify" : "embed"));
  plan.add("fovea.run.graphs", std::vector<std::string>{"forward"});
  plan.add("fovea.text.max_tokens", max_tokens(source, e, sentence));
  plan.add("fovea.text.vocabulary", e.vocabulary);
  plan.add("fovea.text.pad", int32_t(config.find_u32("pad_token_id").value_or(0)));
  if (classifies) {
    plan.add("fovea.classify.input", std::string("text"));
    plan.add("fovea.classify.labels", read_labels(config, e.head.n_classes));
    plan.add("fovea.classify.scores", read_scores(config, e.head.n_classes));
  } else if (!sentence.prefix.empty()) {
    plan.add("fovea.text.prefix", sentence.prefix);
  }
  // Without a tokenizer the graph still runs, and the tasks take token ids.
  add_tokenizer(source, e.vocabulary,
                classifies ? "`fovea classify` will not work, `fovea run` will"
                           : "`fovea embed` will not work, token ids will (fovea_embed_tokens())",
                plan);
  const Graph graph = forward(e, sentence);
  plan.graphs.emplace_back(graph.name(), print_graph(graph));
  add_tensors(source, e, plan);
  plan.ignored = e.ignored;
  plan.ignored.emplace_back("*position_ids");
  return plan;
}

} // namespace fovea
