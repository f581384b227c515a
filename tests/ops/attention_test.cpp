#include "support/op_case.h"

#include <algorithm>
#include <cmath>
#include <doctest/doctest.h>

using namespace fovea;

namespace {

struct Heads {
  uint64_t batch = 1, queries = 1, keys = 1, heads = 1, kv_heads = 1, size = 64;
  bool causal = false, shared = false;
  uint32_t window = 0;
  uint64_t distances = 0; // of a bias
  float scale = 0;        // 0: the default
  enum class Mask { None, Shared, PerBatch } mask = Mask::None;
};

// Values that q8 holds exactly: the largest of each group of 32 is 127 of its steps.
HostTensor exact_in_q8(const Shape &shape, uint32_t seed) {
  HostTensor out = random_tensor({shape, Encoding::F32}, seed, 40);
  for (size_t i = 0; i < out.f.size(); ++i) {
    const float step = std::ldexp(1.0f, -int(i / 32 % 3) - 5);
    out.f[i] = step * (i % 32 == 7 ? -127.0f : std::clamp(std::round(out.f[i]), -127.0f, 127.0f));
  }
  return out;
}

// Keys and values come in as inputs and are written into states by an identity product, so that the caches
// are real states of the wanted encoding.
// `weights`: attention_weights instead.
OpCase attention_case(const Heads &h, const char *kv_encoding, std::optional<uint32_t> past,
                      bool weights = false) {
  const uint64_t q_width = h.heads * h.size, kv_width = h.kv_heads * h.size;
  OpCase c;
  const std::string kv_shape = h.shared ? concat("[", h.keys, ", ", kv_width, "]")
                                        : concat("[", h.batch, ", ", h.keys, ", ", kv_width, "]");
  const std::string mask_shape =
      h.mask == Heads::Mask::Shared ? concat("[", h.keys, "]") : concat("[", h.batch, ", ", h.keys, "]");
  c.graph_text =
      concat("graph g\n  in q f32 [", h.batch, ", ", h.queries, ", ", q_width, "]\n  in ki f32 ", kv_shape,
             "\n  in vi f32 ", kv_shape, "\n",
             h.mask == Heads::Mask::None ? "" : concat("  in mask i32 ", mask_shape, "\n"),
             past ? "  step pos\n" : "", "  state k ", kv_encoding, " ", kv_shape, "\n  state v ",
             kv_encoding, " ", kv_shape, "\n  linear(ki, one) -> k\n  linear(vi, one) -> v\n",
             "  out y = ", weights ? "attention_weights(q, k" : "attention(q, k, v",
             h.mask != Heads::Mask::None ? ", mask"
             : h.distances               ? ", _"
                                         : "",
             h.distances ? ", bias" : "", ") heads=", h.heads,
             h.kv_heads == h.heads ? "" : concat(" kv_heads=", h.kv_heads), h.causal ? " causal=true" : "",
             past ? " past=pos" : "", h.window ? concat(" window=", h.window) : "",
             h.scale != 0 ? concat(" scale=", h.scale) : "", "\n");
  c.inputs["q"] = random_tensor({{h.batch, h.queries, q_width}, Encoding::F32}, 1, 2);
  const Shape shape = h.shared ? Shape{h.keys, kv_width} : Shape{h.batch, h.keys, kv_width};
  const bool q8 = std::string_view(kv_encoding) == "q8";
  c.inputs["ki"] = q8 ? exact_in_q8(shape, 2) : random_tensor({shape, Encoding::F32}, 2);
  c.inputs["vi"] = q8 ? exact_in_q8(shape, 3) : random_tensor({shape, Encoding::F32}, 3);
  HostTensor one({{kv_width, kv_width}, Encoding::F32});
  for (uint64_t i = 0; i < kv_width; ++i) one.f[i * kv_width + i] = 1;
  c.weights["one"] = one;
  if (h.mask != Heads::Mask::None) {
    const Shape mask = h.mask == Heads::Mask::Shared ? Shape{h.keys} : Shape{h.batch, h.keys};
    c.inputs["mask"] = random_tensor({mask, Encoding::I32}, 4, 1, 3); // two in three are seen
    std::fill_n(c.inputs["mask"].i.begin(), h.keys * 3 / 4, 0);       // the first batch's padding on the left
  }
  if (h.distances) c.weights["bias"] = random_tensor({{h.heads, h.distances}, Encoding::F32}, 5, 2);
  if (past) c.steps["pos"] = *past;
  c.terms = h.size + h.keys;
  // Scores of magnitude ~10 turn their own rounding into relative error of the weights.
  c.tolerance_factor = 4;
  return c;
}

} // namespace

TEST_CASE("attention: keys past the last stay hidden at any scale, small, large or negative") {
  for (const float scale : {-0.3f, 1e-12f, -1e-12f, 3.0f})
    for (const uint64_t keys : {1, 33, 61})
      run_op_case(attention_case({.queries = 19, .keys = keys, .heads = 2, .kv_heads = 2, .scale = scale},
                                 "f32", {}));
}

// Each head size, encoding, tile of queries and set of extras is a kernel of its own to compile, which some
// drivers take seconds for: the combinations below meet each two of them together, not all of all.
TEST_CASE("attention: head sizes, key counts, f32 and f16 keys and values") {
  size_t turn = 0;
  for (const uint64_t size : {2, 16, 30, 32, 64, 80, 96, 128})
    for (const uint64_t queries : {1, 5, 33}) {
      const bool half = ++turn % 2 == 0;
      if (!half || size == 64) run_op_case(attention_case({1, queries, 37, 2, 2, size}, "f32", {}));
      if (half || size == 64) run_op_case(attention_case({1, queries, 37, 2, 2, size}, "f16", {}));
    }
}

// Minutes of compiling on llvmpipe of Mesa 24 and later, where each read of a buffer is a branch.
TEST_CASE("attention: the largest heads" * doctest::test_suite("sweep")) {
  for (const char *encoding : {"f32", "f16"})
    for (const uint64_t queries : {1, 5, 33})
      run_op_case(attention_case({1, queries, 37, 2, 2, 256}, encoding, {}));
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

// Heads that share keys are taken together, and subgroups take turns at keys: numbers that divide and that do
// not.
TEST_CASE("attention: few queries of shared keys, many keys") {
  for (const uint32_t past : {0u, 40u, 299u})
    run_op_case(attention_case({2, 1, 300, 6, 2, 64, true}, "f16", past));
  run_op_case(attention_case({1, 1, 300, 14, 2, 16, true}, "f32", 250u)); // 7: 4 and 3
  run_op_case(attention_case({1, 2, 300, 6, 2, 32, true}, "f16", 250u));
  run_op_case(attention_case({1, 1, 300, 8, 2, 32, true}, "q8", 250u));
  Heads h{2, 1, 300, 6, 2, 32, true};
  for (const uint32_t window : {100u, 3u}) { // of few blocks of keys: fewer than there are subgroups
    h.window = window;
    run_op_case(attention_case(h, "f16", 250u));
  }
  h.window = 0;
  h.size = 16;
  h.mask = Heads::Mask::PerBatch;
  h.distances = 31;
  run_op_case(attention_case(h, "f16", 250u));
}

TEST_CASE("attention: a speech encoder's shape, and one decode step against it") {
  run_op_case(attention_case({1, 300, 300, 6, 6, 64}, "f32", {}));
  run_op_case(attention_case({1, 1, 1500, 6, 6, 64, false, true}, "f16", {}));
}

TEST_CASE("attention: masks, shared and per batch; a batch that sees nothing but its end") {
  for (const Heads::Mask mask : {Heads::Mask::Shared, Heads::Mask::PerBatch})
    for (const uint64_t queries : {1, 3, 40})
      for (const uint64_t keys : {1, 5, 77, 300}) {
        Heads h{2, queries, keys, 2, 1, 32};
        h.mask = mask;
        run_op_case(attention_case(h, "f32", {}));
        if (queries == 3) run_op_case(attention_case(h, "f16", {}));
      }
}

TEST_CASE("attention: relative position bias, alone and with a mask") {
  for (const uint64_t distances : {1, 9, 301})
    for (const Heads::Mask mask : {Heads::Mask::None, Heads::Mask::PerBatch})
      for (const uint64_t queries : {2, 35}) {
        Heads h{2, queries, 90, 3, 3, 16};
        h.distances = distances;
        h.mask = mask;
        h.causal = mask != Heads::Mask::None;
        run_op_case(h.causal ? attention_case(h, "f16", 11u) : attention_case(h, "f32", {}));
      }
}

TEST_CASE("attention: windows over a cache, shorter and longer than it") {
  for (const uint32_t window : {1u, 7u, 64u, 1000u})
    for (const uint64_t queries : {1, 6, 90})
      for (const char *encoding : {"f32", "f16"}) {
        if (queries == 1 && encoding[1] == '3') continue;
        Heads h{1, queries, 200, 4, 2, 64, true};
        h.window = window;
        run_op_case(attention_case(h, encoding, 100u));
        run_op_case(attention_case(h, encoding, 0u));
      }
}

TEST_CASE("attention: q8 keys and values") {
  std::set<std::string> ran;
  const auto run = [&](const Heads &h, std::optional<uint32_t> past, bool weights = false) {
    const auto kernels = run_op_case(attention_case(h, "q8", past, weights));
    ran.insert(kernels.begin(), kernels.end());
  };
  for (const uint64_t queries : {1, 5, 33}) {
    run({1, queries, 48, 4, 4, 8, true}, 15u);
    run({2, queries, 48, 6, 3, 64, true}, 9u);
  }
  run({1, 2, 37, 2, 2, 80}, {});
  run({3, 1, 150, 6, 6, 128, false, true}, {});
  Heads h{2, 3, 77, 2, 1, 32};
  h.mask = Heads::Mask::PerBatch; // both behind one binding
  run(h, {});
  h.distances = 9;
  run(h, {});
  run(h, {}, true);
  Heads window{1, 40, 90, 2, 2, 32, true};
  window.window = 20;
  run(window, 50u);
  CHECK(ran.count("attention_base") == 1);
  CHECK(ran.count("quantize_rows") == 1);
}

TEST_CASE("attention_weights: everything at once and one at a time") {
  for (const uint64_t keys : {1, 31, 130}) {
    run_op_case(attention_case({2, keys, keys, 4, 2, 30, true}, "f32", {}, true));
    run_op_case(attention_case({2, 3, keys, 2, 2, 64, false, true}, "f16", {}, true));
    Heads h{2, 5, keys, 2, 2, 16};
    h.mask = Heads::Mask::PerBatch;
    run_op_case(attention_case(h, "f32", {}, true));
    h.distances = 33;
    h.window = 20;
    run_op_case(attention_case(h, "f32", {}, true));
  }
  run_op_case(attention_case({1, 4, 60, 3, 3, 32, true}, "f16", 21u, true));
}

TEST_CASE("attention: feature maps as queries and keys, k and v in scratch behind one binding") {
  OpCase c;
  c.graph_text = "graph g\n  in x f32 [2, 6, 5, 32]\n  in r f32 [2, 3, 2, 32]\n  in mask i32 [2, 6]\n"
                 "  q = linear(x, wq)\n  k = linear(r, wk)\n  v = linear(r, wv)\n"
                 "  a = attention(q, k, v, mask) heads=2\n  f = flatten(a)\n"
                 "  out y = linear(f, wq)\n  out z = flatten(a)\n";
  c.inputs["x"] = random_tensor({{2, 6, 5, 32}, Encoding::F32}, 1);
  c.inputs["r"] = random_tensor({{2, 3, 2, 32}, Encoding::F32}, 2);
  c.inputs["mask"] = HostTensor({{2, 6}, Encoding::I32});
  c.inputs["mask"].i = {1, 1, 0, 1, 1, 0, 0, 0, 0, 0, 0, 1};
  uint32_t seed = 3;
  for (const char *name : {"wq", "wk", "wv"})
    c.weights[name] = random_tensor({{32, 32}, Encoding::F32}, seed++, 0.2f);
  c.terms = 64;
  c.tolerance_factor = 8; // four products in a row
  run_op_case(c);
}
