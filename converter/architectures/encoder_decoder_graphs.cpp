#include "converter/architectures/encoder_decoder.h"

#include "ops/copy.h"
#include "ops/embed.h"
#include "ops/pool_rows.h"
#include "ops/regroup.h"
#include "ops/softmax.h"
#include "ops/take_batch.h"
#include "ops/top_k.h"

#include <algorithm>

namespace fovea {
namespace {

// Of `best` and `top`: room for tokens that the decoding loop then forbids.
constexpr uint32_t kBest = 16, kTop = 64;

// Symbols: G sources of S tokens; B sequences side by side, B / G of each source; C rows of cache.
class Graphs {
public:
  explicit Graphs(const EncoderDecoder &model) : m(model) {}

  Graph encode() {
    BlockBuilder b("encode", m.encoder);
    const Value tokens = b.g.input("tokens", Encoding::I32, {"G", "S"});
    const Value mask = b.g.input("mask", Encoding::I32, {"G", "S"}, 1);
    Value x = embeddings(b, tokens, m.words == m.decoder_words ? "tok.w" : "enc.tok.w", "enc",
                         m.encoder_embedding_norm, {});
    const Value bias = m.encoder_bias.empty() ? Value{} : b.g.weight("enc.bias");
    for (uint32_t i = 0; i < m.encoder_layers; ++i)
      x = b.block(x, concat("enc.", i), {mask, bias, concat("encoder_attention.", i)});
    x = b.g.output("encoder", m.encoder_norm.empty() ? Op(Copy{x}) : b.norm_op(x, "enc.ln"));
    for (uint32_t i = 0; i < m.decoder_layers; ++i)
      b.store_cross(x, concat("dec.", i), keys(b, "ck", i), keys(b, "cv", i));
    return b.g;
  }

  Graph decoder() {
    BlockBuilder b("decoder", m.decoder);
    const Value tokens = b.g.input("decoder_tokens", Encoding::I32, {"B", "T"});
    const Value mask = b.g.input("mask", Encoding::I32, {"G", "S"}, 1);
    Value x = embeddings(b, tokens, "tok.w", "dec", m.decoder_embedding_norm, {});
    const Value bias = m.decoder_bias.empty() ? Value{} : b.g.weight("dec.bias");
    for (uint32_t i = 0; i < m.decoder_layers; ++i) {
      const std::string at = concat("dec.", i);
      x = b.causal_attention(x, at, {{}, bias, concat("attention.", i)});
      x = b.cross_attention(x, at, keys(b, "ck", i), keys(b, "cv", i),
                            {mask, {}, concat("cross_attention.", i)});
      x = b.mlp(x, at);
    }
    b.g.output("logits", logits(b, normed(b, x)));
    return b.g;
  }

  Graph step() {
    BlockBuilder b("step", m.decoder);
    const Value tokens = b.g.input("decoder_tokens", Encoding::I32, {"B", "T"});
    const Value mask = b.g.input("mask", Encoding::I32, {"G", "S"}, 1);
    const StepName pos = b.g.step("pos");
    Value x = embeddings(b, tokens, "tok.w", "dec", m.decoder_embedding_norm, pos);
    const Value bias = m.decoder_bias.empty() ? Value{} : b.g.weight("dec.bias");
    for (uint32_t i = 0; i < m.decoder_layers; ++i) {
      const std::string at = concat("dec.", i);
      x = b.cached_attention(x, at, cache(b, "k", i), cache(b, "v", i), pos, {{}, bias, {}});
      x = b.cross_attention(x, at, keys(b, "ck", i), keys(b, "cv", i), {mask, {}, {}}, true);
      x = b.mlp(x, at);
    }
    const Value h = b.g.add("h", PoolRows{normed(b, x), {}, PoolFunction::Last});
    const Value last = b.g.output("last", logits(b, h)); // [B, V]
    b.g.output("best", TopK{last, std::min(kBest, m.decoder_vocabulary)});
    Softmax log;
    log.x = last;
    log.log = true;
    b.g.output("top", TopK{b.g.output("logprobs", log), std::min(kTop, m.decoder_vocabulary)});
    return b.g;
  }

  Graph reorder() {
    BlockBuilder b("reorder", m.decoder);
    const Value order = b.g.input("order", Encoding::I32, {"B"});
    const StepName rows = b.g.step("rows"); // how many rows of the caches hold something
    for (uint32_t i = 0; i < m.decoder_layers; ++i)
      for (const char *name : {"k", "v"}) {
        const Value state = cache(b, name, i);
        b.g.store(TakeBatch{state, order, rows}, state);
      }
    return b.g;
  }

private:
  Value keys(BlockBuilder &b, const char *name, uint32_t i) const { return cross_keys(b.g, m, name, i); }
  Value cache(BlockBuilder &b, const char *name, uint32_t i) const {
    return b.g.state(concat(name, ".", i), m.cache, {"B", "C", m.decoder.inner()});
  }
  Value embeddings(BlockBuilder &b, Value tokens, const char *table, const std::string &part,
                   const std::string &norm, const StepName &pos) const {
    Embed op;
    op.tokens = tokens;
    op.table = b.g.weight(table);
    op.scale = m.embedding_scale;
    if (m.positions > 0) {
      op.positions = b.g.weight(part + ".pos");
      op.at = pos;
    }
    const Value x = b.g.add("x", op);
    return norm.empty() ? x : b.norm(x, part + ".emb_ln");
  }
  Value normed(BlockBuilder &b, Value x) const { return m.decoder_norm.empty() ? x : b.norm(x, "dec.ln"); }
  Linear logits(BlockBuilder &b, Value x) const {
    Linear op;
    op.x = x;
    op.weight = b.g.weight(m.logits == m.decoder_words ? "tok.w" : "head.w");
    if (!m.logits_bias.empty()) op.bias = b.g.weight("head.b");
    return op;
  }

  const EncoderDecoder &m;
};

} // namespace

std::vector<Graph> encoder_decoder_graphs(const EncoderDecoder &model) {
  Graphs g(model);
  return {g.encode(), g.decoder(), g.step(), g.reorder()};
}

std::vector<Graph> decoder_graphs(const EncoderDecoder &model) {
  Graphs g(model);
  return {g.decoder(), g.step(), g.reorder()};
}

Value cross_keys(Graph &g, const EncoderDecoder &model, const char *name, uint32_t i) {
  return g.state(concat(name, ".", i), model.cache, {"G", "S", model.decoder.inner()});
}

} // namespace fovea
