#include "support/op_case.h"

#include <doctest/doctest.h>

using namespace fovea;

namespace {

struct Heads {
  uint64_t batch = 1, queries = 1, keys = 1, heads = 1, kv_heads = 1, size = 64;
  bool causal = false, shared = false;
};

// Keys and values come in as inputs and are written into states by an identity product, so that the caches
// are real states of the wanted encoding.
OpCase attention_case(const Heads &h, const char *kv_encoding, std::optional<uint32_t> past) {
  const uint64_t q_width = h.heads * h.size, kv_width = h.kv_heads * h.size;
  OpCase c;
  const std::string kv_shape = h.shared ? concat("[", h.keys, ", ", kv_width, "]")
                                        : concat("[", h.batch, ", ", h.keys, ", ", kv_width, "]");
  c.graph_text = concat("graph g\n  in q f32 [", h.batch, ", ", h.queries, ", ", q_width, "]\n  in ki f32 ",
                        kv_shape, "\n  in vi f32 ", kv_shape, "\n", past ? "  step pos\n" : "", "  state k ",
                        kv_encoding, " ", kv_shape, "\n  state v ", kv_encoding, " ", kv_shape,
                        "\n  linear(ki, one) -> k\n  linear(vi, one) -> v\n",
                        "  out y = attention(q, k, v) heads=", h.heads,
                        h.kv_heads == h.heads ? "" : concat(" kv_heads=", h.kv_heads),
                        h.causal ? " causal=true" : "", past ? " past=pos" : "", "\n");
  c.inputs["q"] = random_tensor({{h.batch, h.queries, q_width}, Encoding::F32}, 1, 2);
  const Shape shape = h.shared ? Shape{h.keys, kv_width} : Shape{h.batch, h.keys, kv_width};
  c.inputs["ki"] = random_tensor({shape, Encoding::F32}, 2);
  c.inputs["vi"] = random_tensor({shape, Encoding::F32}, 3);
  HostTensor one({{kv_width, kv_width}, Encoding::F32});
  for (uint64_t i = 0; i < kv_width; ++i) one.f[i * kv_width + i] = 1;
  c.weights["one"] = one;
  if (past) c.steps["pos"] = *past;
  c.terms = h.size + h.keys;
  // Scores of magnitude ~10 turn their own rounding into relative error of the weights.
  c.tolerance_factor = 4;
  return c;
}

} // namespace

TEST_CASE("attention: head sizes, key counts, f32 and f16 keys and values") {
  for (const char *encoding : {"f32", "f16"})
    for (const uint64_t size : {2, 16, 30, 32, 64, 80, 96, 128, 256})
      for (const uint64_t queries : {1, 5, 33})
        run_op_case(attention_case({1, queries, 37, 2, 2, size}, encoding, {}));
}

TEST_CASE("attention: causal over a cache, at several positions") {
  for (const char *encoding : {"f32", "f16"})
    for (const uint32_t past : {0u, 1u, 9u, 30u})
      for (const uint64_t queries : {1, 4, 18})
        run_op_case(attention_case({1, queries, 48, 3, 3, 64, true}, encoding, past));
}

TEST_CASE("attention: causal without a cache") {
  run_op_case(attention_case({2, 45, 45, 2, 2, 32, true}, "f32", {}));
}

TEST_CASE("attention: grouped heads, batches, keys shared by all batches") {
  run_op_case(attention_case({3, 1, 40, 6, 2, 32, true}, "f16", 17));
  run_op_case(attention_case({3, 7, 40, 6, 1, 32, true}, "f32", 17));
  run_op_case(attention_case({4, 1, 150, 6, 6, 64, false, true}, "f16", {}));
  run_op_case(attention_case({2, 9, 70, 4, 2, 48, false, true}, "f32", {}));
}

TEST_CASE("attention: a speech encoder's shape, and one decode step against it") {
  run_op_case(attention_case({1, 300, 300, 6, 6, 64}, "f32", {}));
  run_op_case(attention_case({1, 1, 1500, 6, 6, 64, false, true}, "f16", {}));
}
