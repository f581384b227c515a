#include "converter/architectures/whisper_graphs.h"

#include "converter/architectures/attention_block.h"
#include "ops/conv1d.h"
#include "ops/dynamic_range.h"
#include "ops/embed.h"
#include "ops/layer_norm.h"
#include "ops/linear.h"
#include "ops/power_spectrum.h"
#include "ops/reduce_max.h"
#include "ops/reflect_pad.h"
#include "ops/take_batch.h"
#include "ops/token_rules.h"
#include "ops/top_k.h"
#include "ops/transpose.h"
#include "ops/unary.h"

namespace fovea::whisper {
namespace {

constexpr uint32_t kBeamCandidates = 16; // of `top`: twice the widest beam

// Tensors are named prefix.w and prefix.b, norms prefix.g and prefix.b.
class Builder {
public:
  explicit Builder(const char *name) : g(name) {}

  Value linear(const char *name, Value x, const std::string &at, Activation act = Activation::None,
               Value residual = {}) {
    return g.add(name, Linear{x, g.weight(at + ".w"), g.weight(at + ".b"), residual, act});
  }
  Value linear_no_bias(const char *name, Value x, const std::string &at) {
    return g.add(name, Linear{x, g.weight(at + ".w"), {}, {}, Activation::None});
  }
  Value norm(Value x, const std::string &at, Rows rows = Rows::All) {
    return g.add("h", LayerNorm{x, g.weight(at + ".g"), g.weight(at + ".b"), 1e-5f, rows});
  }
  /// `offered`: the name of its weights, if they are.
  Value attention(Value q, Value k, Value v, uint32_t heads, const std::string &offered) {
    AttentionFields a;
    a.q = q;
    a.k = k;
    a.heads = heads;
    return add_attention(g, a, v, offered);
  }
  Value causal_attention(Value q, Value k, Value v, uint32_t heads, StepName past) {
    AttentionFields a;
    a.q = q;
    a.k = k;
    a.heads = heads;
    a.causal = true;
    a.past = std::move(past);
    return add_attention(g, a, v);
  }
  Value mlp(Value x, const std::string &at) {
    const Value h = norm(x, at + ".ln_mlp");
    return linear("x", linear("f", h, at + ".fc1", Activation::Gelu), at + ".fc2", Activation::None, x);
  }

  Graph g;
};

std::string layer(const char *part, uint32_t i) { return concat(part, ".", i); }

// ---- log-mel
// ---------------------------------------------------------------------------------------------------

// [F * 160 + 240] samples with context → log10 of mel energies [M, F].
Value log_mel_energies(Builder &b, Value padded) {
  const Value spectrum = b.g.add(
      "spectrum", Conv1d{padded, b.g.weight("mel.basis"), {}, {}, kWindow, kHop, 0, Activation::None});
  const Value power = b.g.add("power", PowerSpectrum{spectrum});
  const Value mel = b.g.add("mel", Linear{power, b.g.weight("mel.filters"), {}, {}, Activation::None});
  return b.g.add("energy", Transpose{b.g.add("log", Unary{mel, UnaryFunction::Log10, 1e-10f})});
}

Graph features(const Sizes &s) {
  Builder b("features");
  const Value samples = b.g.input("samples", Encoding::F32, {"N"});
  const Value padded =
      b.g.add("padded", ReflectPad{samples, kContextBefore, kContextAfter, 2 * s.positions * kHop});
  const Value energy = log_mel_energies(b, padded);
  b.g.output("features", DynamicRange{energy, b.g.add("peak", ReduceMax{energy}), 8, 4, 0.25f});
  return b.g;
}

uint64_t window_samples(const Sizes &s) { return 2ull * s.positions * kHop + kContextBefore + kContextAfter; }

Graph peak(const Sizes &s) {
  Builder b("peak");
  b.g.output("peak", ReduceMax{log_mel_energies(b, b.g.input("window", Encoding::F32, {window_samples(s)}))});
  return b.g;
}

Graph window(const Sizes &s) {
  Builder b("window");
  const Value padded = b.g.input("window", Encoding::F32, {window_samples(s)});
  const Value peak = b.g.input("peak", Encoding::F32, {1});
  b.g.output("features", DynamicRange{log_mel_energies(b, padded), peak, 8, 4, 0.25f});
  return b.g;
}

// ---- encoder
// ---------------------------------------------------------------------------------------------------

Value cache(Builder &b, const Sizes &s, const char *name, uint32_t i) {
  return b.g.state(layer(name, i), s.cache, {"B", s.context, s.width});
}
Value cross_cache(Builder &b, const Sizes &s, const char *name, uint32_t i) {
  return b.g.state(layer(name, i), s.cache, {s.positions, s.width});
}

Graph encode(const Sizes &s) {
  Builder b("encode");
  const Value features = b.g.input("features", Encoding::F32, {s.n_mels, 2 * s.positions});
  Value x = b.g.add("x", Transpose{features}); // [2 P, M]
  x = b.g.add("x",
              Conv1d{x, b.g.weight("enc.conv1.w"), b.g.weight("enc.conv1.b"), {}, 3, 1, 1, Activation::Gelu});
  // The position table is added after the activation: a residual.
  x = b.g.add("x", Conv1d{x, b.g.weight("enc.conv2.w"), b.g.weight("enc.conv2.b"), b.g.weight("enc.pos"), 3,
                          2, 1, Activation::Gelu}); // [P, D]
  for (uint32_t i = 0; i < s.encoder_layers; ++i) {
    const std::string at = layer("enc", i);
    const Value h = b.norm(x, at + ".ln");
    const Value q = b.linear("q", h, at + ".q"), k = b.linear_no_bias("k", h, at + ".k"),
                v = b.linear("v", h, at + ".v");
    x = b.linear("x", b.attention(q, k, v, s.encoder_heads, layer("encoder_attention", i)), at + ".o",
                 Activation::None, x);
    x = b.mlp(x, at);
  }
  const Value encoder =
      b.g.output("encoder", LayerNorm{x, b.g.weight("enc.ln.g"), b.g.weight("enc.ln.b"), 1e-5f, Rows::All});
  for (uint32_t i = 0; i < s.decoder_layers; ++i) {
    const std::string at = layer("dec", i);
    b.g.store(Linear{encoder, b.g.weight(at + ".cross_k.w"), {}, {}, Activation::None},
              cross_cache(b, s, "ck", i));
    b.g.store(
        Linear{encoder, b.g.weight(at + ".cross_v.w"), b.g.weight(at + ".cross_v.b"), {}, Activation::None},
        cross_cache(b, s, "cv", i));
  }
  return b.g;
}

// ---- decoder
// ---------------------------------------------------------------------------------------------------

// Token ids → hidden rows before the last norm; appends keys and values at pos. `offered`: the weights of
// cross-attention are.
Value decoder_stack(Builder &b, const Sizes &s, Value tokens, const StepName &pos, bool offered) {
  Value x = b.g.add("x", Embed{tokens, b.g.weight("dec.tok"), b.g.weight("dec.pos"), pos}); // [B, T, D]
  for (uint32_t i = 0; i < s.decoder_layers; ++i) {
    const std::string at = layer("dec", i);
    const Value k = cache(b, s, "k", i), v = cache(b, s, "v", i);
    Value h = b.norm(x, at + ".ln");
    Value q = b.linear("q", h, at + ".q");
    b.g.store(Linear{h, b.g.weight(at + ".k.w"), {}, {}, Activation::None}, k, pos);
    b.g.store(Linear{h, b.g.weight(at + ".v.w"), b.g.weight(at + ".v.b"), {}, Activation::None}, v, pos);
    x = b.linear("x", b.causal_attention(q, k, v, s.decoder_heads, pos), at + ".o", Activation::None, x);

    h = b.norm(x, at + ".ln_cross");
    q = b.linear("q", h, at + ".cross_q");
    const Value a = b.attention(q, cross_cache(b, s, "ck", i), cross_cache(b, s, "cv", i), s.decoder_heads,
                                offered ? layer("cross_attention", i) : "");
    x = b.linear("x", a, at + ".cross_o", Activation::None, x);
    x = b.mlp(x, at);
  }
  return x;
}

Linear logits(Builder &b, Value h) { return {h, b.g.weight("dec.tok"), {}, {}, Activation::None}; }

Graph decoder(const Sizes &s) {
  Builder b("decoder");
  const Value tokens = b.g.input("decoder_tokens", Encoding::I32, {"B", "T"});
  const Value x = decoder_stack(b, s, tokens, b.g.step("pos"), true);
  b.g.output("logits", logits(b, b.norm(x, "dec.ln")));
  return b.g;
}

Graph step(const Sizes &s) {
  Builder b("step");
  const Value tokens = b.g.input("decoder_tokens", Encoding::I32, {"B", "T"});
  const Value rules = b.g.input("rules", Encoding::I32, {"B", 4});
  const Value x = decoder_stack(b, s, tokens, b.g.step("pos"), false);
  const Value last = b.g.output("last", logits(b, b.norm(x, "dec.ln", Rows::Last))); // [B, 1, V]
  const Value logprobs =
      b.g.output("logprobs", TokenRules{last, b.g.weight("suppress"), rules, s.time_begin});
  b.g.output("best", TopK{logprobs, 1});
  b.g.output("top", TopK{logprobs, std::min(kBeamCandidates, s.vocabulary)});
  return b.g;
}

Graph reorder(const Sizes &s) {
  Builder b("reorder");
  const Value order = b.g.input("order", Encoding::I32, {"B"});
  const StepName rows = b.g.step("rows"); // how many rows of the caches hold something
  for (uint32_t i = 0; i < s.decoder_layers; ++i)
    for (const char *name : {"k", "v"}) {
      const Value state = cache(b, s, name, i);
      b.g.store(TakeBatch{state, order, rows}, state);
    }
  return b.g;
}

} // namespace

std::vector<Graph> graphs(const Sizes &s) {
  return {features(s), peak(s), window(s), encode(s), decoder(s), step(s), reorder(s)};
}

} // namespace fovea::whisper
