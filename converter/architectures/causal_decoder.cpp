#include "converter/architectures/causal_decoder.h"

#include "converter/architectures/attention_block.h"
#include "ops/embed.h"
#include "ops/layer_norm.h"
#include "ops/rms_norm.h"
#include "ops/rope_qkv.h"
#include "ops/slice.h"
#include "ops/top_k.h"
#include "ops/unary.h"

#include <algorithm>
#include <filesystem>

namespace fovea {
namespace {

constexpr uint32_t kCandidates = 64; // of `top`

class Builder {
public:
  Builder(const char *name, const CausalDecoder &decoder) : g(name), d_(decoder) {}

  Value embed(Value tokens, const StepName &pos) {
    Embed op;
    op.tokens = tokens;
    op.table = g.weight("tok.w");
    if (d_.position_table) op.positions = g.weight("pos.w");
    op.at = d_.position_table ? pos : StepName{};
    op.scale = d_.embedding_scale;
    return g.add("x", op);
  }

  /// One layer on x [B, T, D]. With states, keys and values go into them at `pos`.
  Value layer(uint32_t i, Value x, const StepName &pos, Value k_state, Value v_state, bool offered) {
    const std::string at = concat("dec.", i);
    const CausalDecoder::Layer &layer = d_.layers[i];
    const Value h = g.add("h", norm(x, at + ".ln"));
    const Projections p =
        k_state ? project_into_caches(h, at, layer, pos, k_state, v_state) : project(h, at, layer, pos);
    AttentionFields a;
    a.q = p.q;
    a.k = p.k;
    if (k_state) a.past = pos;
    a.heads = d_.heads;
    a.kv_heads = d_.kv_heads == d_.heads ? 0 : d_.kv_heads;
    a.causal = true;
    a.scale = layer.scale;
    a.window = layer.window;
    const Value y = add_attention(g, a, p.v, offered ? concat("attention.", i) : "");
    x = add_to(x, y, at + ".o", d_.o_bias, at + ".ln_after");
    return mlp(x, at);
  }

  Op norm(Value x, const std::string &at, Rows rows = Rows::All, Value residual = {}) {
    if (!d_.rms_norm) return LayerNorm{x, g.weight(at + ".g"), g.weight(at + ".b"), d_.eps, rows};
    RmsNorm op;
    op.x = x;
    op.gamma = g.weight(at + ".g");
    op.residual = residual;
    op.eps = d_.eps;
    op.rows = rows;
    return op;
  }

  /// The output matrix over normalized rows, named `name`.
  Value logits(const char *name, Value x, Rows rows) {
    const Value h = g.add("h", norm(x, "ln", rows));
    const Linear head{h, g.weight(d_.tied ? "tok.w" : "head.w"), {}, {}, Activation::None};
    if (d_.logit_cap == 0) return g.output(name, head);
    // ln.g holds the division by the cap.
    Unary cap;
    cap.x = g.add("l", head);
    cap.f = UnaryFunction::Tanh;
    cap.scale = d_.logit_cap;
    return g.output(name, cap);
  }

  Graph g;

private:
  Linear linear(Value x, const std::string &at, bool bias, Activation act = Activation::None,
                Value residual = {}) {
    return {x, g.weight(at + ".w"), bias ? g.weight(at + ".b") : Value{}, residual, act};
  }
  Value head_normed(const char *name, Value x, const std::string &at, uint32_t heads) {
    RmsNorm op;
    op.x = x;
    op.gamma = g.weight(at + "_ln.g");
    op.eps = d_.eps;
    op.heads = heads;
    return g.add(name, op);
  }
  Rope rope(Value x, uint32_t heads, const CausalDecoder::Layer &layer, const StepName &pos) {
    return turning(Rope{}, x, heads, layer, pos);
  }
  /// A Rope or a RopeQkv with what both have.
  template <class Op>
  Op turning(Op op, Value x, uint32_t heads, const CausalDecoder::Layer &layer, const StepName &pos) {
    op.x = x;
    op.frequencies = g.weight(concat("rope.", layer.rope));
    op.heads = heads;
    op.at = pos;
    op.pairs = d_.rope_pairs;
    op.scale = d_.ropes[layer.rope].scale;
    return op;
  }
  /// Queries or keys as a value.
  Value turned(const char *name, Value h, const std::string &at, uint32_t heads,
               const CausalDecoder::Layer &layer, const StepName &pos) {
    Value x = g.add(name, linear(h, at, d_.qkv_bias));
    if (d_.head_norm) x = head_normed(name, x, at, heads);
    return d_.ropes.empty() ? x : g.add(name, rope(x, heads, layer, pos));
  }
  struct Projections {
    Value q, k, v;
  };
  Projections project(Value h, const std::string &at, const CausalDecoder::Layer &layer,
                      const StepName &pos) {
    if (d_.qkv == QkvLayout::Apart) {
      const Value q = turned("q", h, at + ".q", d_.heads, layer, pos);
      const Value k = turned("k", h, at + ".k", d_.kv_heads, layer, pos);
      return {q, k, g.add("v", linear(h, at + ".v", d_.qkv_bias))};
    }
    const Value rows = joined(h, at);
    const Value q = g.add("q", rope(heads_of("q", rows, 0, d_.heads), d_.heads, layer, pos));
    const Value k = g.add("k", rope(heads_of("k", rows, d_.heads, d_.kv_heads), d_.kv_heads, layer, pos));
    return {q, k,
            d_.qkv == QkvLayout::Joined ? heads_of("v", rows, d_.heads + d_.kv_heads, d_.kv_heads)
                                        : g.add("v", linear(h, at + ".v", d_.qkv_bias))};
  }
  /// Keys and values go into their states at `pos`.
  Projections project_into_caches(Value h, const std::string &at, const CausalDecoder::Layer &layer,
                                  const StepName &pos, Value k_state, Value v_state) {
    Value q;
    if (d_.qkv == QkvLayout::Apart) {
      q = turned("q", h, at + ".q", d_.heads, layer, pos);
      store_keys(h, at + ".k", layer, k_state, pos);
    } else {
      q = g.add(
          "q", rope_qkv(joined(h, at), layer, pos, k_state, d_.qkv == QkvLayout::Joined ? v_state : Value{}));
    }
    if (d_.qkv != QkvLayout::Joined) g.store(linear(h, at + ".v", d_.qkv_bias), v_state, pos);
    return {q, k_state, v_state};
  }
  /// Rows of q, k and v side by side, or of q and k.
  Value joined(Value h, const std::string &at) {
    const char *name = d_.qkv == QkvLayout::Joined ? "qkv" : "qk";
    return g.add(name, linear(h, concat(at, ".", name), d_.qkv_bias));
  }
  /// Some heads of joined rows.
  Value heads_of(const char *name, Value x, uint32_t first, uint32_t count) {
    Slice op;
    op.x = x;
    op.axis = Axis::Channels;
    op.begin = first * d_.head_size;
    op.count = count * d_.head_size;
    return g.add(name, op);
  }
  RopeQkv rope_qkv(Value x, const CausalDecoder::Layer &layer, const StepName &pos, Value k_state,
                   Value v_state) {
    RopeQkv op = turning(RopeQkv{}, x, d_.heads, layer, pos);
    op.k = k_state;
    op.v = v_state;
    op.kv_heads = d_.kv_heads == d_.heads ? 0 : d_.kv_heads;
    return op;
  }
  void store_keys(Value h, const std::string &at, const CausalDecoder::Layer &layer, Value state,
                  const StepName &pos) {
    if (d_.ropes.empty() && !d_.head_norm) {
      g.store(linear(h, at, d_.qkv_bias), state, pos);
      return;
    }
    Value k = g.add("k", linear(h, at, d_.qkv_bias));
    if (d_.head_norm) k = head_normed("k", k, at, d_.kv_heads);
    g.store(rope(k, d_.kv_heads, layer, pos), state, pos);
  }
  /// x plus the matrix `at` of y, normalized where the model does that.
  Value add_to(Value x, Value y, const std::string &at, bool bias, const std::string &norm_at) {
    if (!d_.norm_after) return g.add("x", linear(y, at, bias, Activation::None, x));
    return g.add("x", norm(g.add("o", linear(y, at, bias)), norm_at, Rows::All, x));
  }
  Value mlp(Value x, const std::string &at) {
    const Value h = g.add("h", norm(x, at + ".ln_mlp"));
    Linear fc1 = linear(h, at + ".fc1", d_.mlp_bias, d_.act);
    fc1.gated = d_.gated;
    const Value f = g.add("f", fc1);
    return add_to(x, f, at + ".fc2", d_.mlp_bias, at + ".ln_mlp_after");
  }

  const CausalDecoder &d_;
};

Graph forward(const CausalDecoder &decoder) {
  Builder b("forward", decoder);
  Value x = b.embed(b.g.input("tokens", Encoding::I32, {"B", "T"}), {});
  for (uint32_t i = 0; i < decoder.layers.size(); ++i) x = b.layer(i, x, {}, {}, {}, true);
  b.logits("logits", x, Rows::All);
  return b.g;
}

Graph step(const CausalDecoder &decoder) {
  Builder b("step", decoder);
  const Value tokens = b.g.input("tokens", Encoding::I32, {"B", "T"});
  const StepName pos = b.g.step("pos");
  const Dim cache_width = uint64_t(decoder.kv_heads) * decoder.head_size;
  std::vector<std::pair<Value, Value>> caches; // declared first: results are named after what is taken
  for (uint32_t i = 0; i < decoder.layers.size(); ++i)
    caches.emplace_back(b.g.state(concat("k.", i), decoder.cache, {"B", "C", cache_width}),
                        b.g.state(concat("v.", i), decoder.cache, {"B", "C", cache_width}));
  Value x = b.embed(tokens, pos);
  for (uint32_t i = 0; i < decoder.layers.size(); ++i)
    x = b.layer(i, x, pos, caches[i].first, caches[i].second, false);
  const Value last = b.logits("last", x, Rows::Last);
  b.g.output("best", TopK{last, 1});
  b.g.output("top", TopK{last, std::min(kCandidates, decoder.vocabulary)});
  return b.g;
}

} // namespace

void check_head_size(uint32_t head_size, const Config &config) {
  if (head_size > 256)
    fail(ErrorCode::Unsupported, config.path(), ": heads of ", head_size, " elements; 256 at most");
}

void check_decoder(const CausalDecoder &d, const Config &config) {
  const auto check = [&](const char *what, uint64_t value, uint64_t low, uint64_t high) {
    if (value < low || value > high)
      fail(ErrorCode::InvalidFile, config.path(), ": ", what, " is ", value, ", expected ", low, " to ",
           high);
  };
  check("the vocabulary's size", d.vocabulary, 2, 1 << 22);
  check("the number of positions", d.context, 2, 1 << 24);
  check("the hidden size", d.width, 2, 1 << 16);
  check("the size of the MLP", d.ffn, 1, 1 << 20);
  check("the number of layers", d.layers.size(), 1, 1024);
  check("the number of attention heads", d.heads, 1, 1 << 12);
  check("the number of key-value heads", d.kv_heads, 1, d.heads);
  check("the size of a head", d.head_size, 2, 1 << 12);
  check_head_size(d.head_size, config);
  if (d.heads % d.kv_heads != 0)
    fail(ErrorCode::InvalidFile, config.path(), ": ", d.heads, " attention heads are no multiple of ",
         d.kv_heads, " key-value heads");
  if (d.head_size * d.kv_heads % 2 != 0 || (!d.ropes.empty() && d.head_size % 2 != 0))
    fail(ErrorCode::Unsupported, config.path(), ": ", d.kv_heads, " key-value heads of ", d.head_size,
         " elements: caches need rows of even length, rotary positions heads of even length");
  if (!(d.eps >= 0 && d.eps < 1))
    fail(ErrorCode::InvalidFile, config.path(), ": the norms' epsilon is ", d.eps, ", expected 0 to 1");
}

std::vector<Graph> decoder_graphs(const CausalDecoder &decoder) { return {forward(decoder), step(decoder)}; }

ModelPlan start_decoder_plan(const CausalDecoder &d, const Source &source) {
  ModelPlan plan;
  plan.architecture = d.architecture;
  plan.add("general.name", std::filesystem::path(source.path()).lexically_normal().filename().string());
  plan.add("fovea.run.graphs", std::vector<std::string>{"forward"});
  // What `fovea run` keeps caches for; the generate task takes as much as it is asked for.
  plan.add("fovea.size.C", std::min(d.context, 1024u));
  for (const Graph &graph : decoder_graphs(d)) plan.graphs.emplace_back(graph.name(), print_graph(graph));
  for (size_t i = 0; i < d.ropes.size(); ++i) {
    const std::vector<float> &frequencies = d.ropes[i].frequencies;
    plan.add_computed(concat("rope.", i), {frequencies.size()}, TensorClass::Exact,
                      [frequencies] { return frequencies; });
  }
  return plan;
}

} // namespace fovea
