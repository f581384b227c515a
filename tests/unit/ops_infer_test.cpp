// What each op accepts and how it refuses the rest; printing of its fields; values known by heart.
#include "ops/registry.h"
#include "reference/interpreter.h"

#include <cmath>
#include <doctest/doctest.h>

using namespace fovea;

namespace {

// Tensors that graphs below may name.
const TensorType *weight_type(const std::string &name) {
  static const std::map<std::string, TensorType> types = {
      {"bias", {{4}, Encoding::F32}},          {"table", {{10, 32}, Encoding::Q4}},
      {"table3", {{2, 5, 32}, Encoding::F32}}, {"places", {{6, 32}, Encoding::F32}},
      {"places16", {{6, 32}, Encoding::F16}},  {"places8", {{6, 8}, Encoding::F32}},
      {"hollow", {{0, 32}, Encoding::F32}},    {"ints", {{10, 32}, Encoding::I32}},
      {"suppress", {{4}, Encoding::F32}},      {"huge", {{1u << 20, 1u << 12}, Encoding::Q4}}};
  const auto it = types.find(name);
  return it == types.end() ? nullptr : &it->second;
}

// The type of `out y = STATEMENT` given `in x DECLARATION`, or the error less its prefix.
std::string infer(const std::string &inputs, const std::string &call, const Bindings &sizes = {}) {
  std::string text = "graph g\n  step pos\n";
  text += inputs + "\n  out y = " + call + "\n";
  try {
    const Graph g = parse_graph(text, op_table());
    return to_string(infer_types(g, sizes, weight_type)[g.find("y").id]);
  } catch (const Error &e) {
    const std::string what = e.what(), prefix = "graph 'g', 'y': ";
    return what.starts_with(prefix) ? what.substr(prefix.size()) : what;
  }
}

std::vector<float> evaluate(const std::string &text, HostTensors inputs) {
  const Graph g = parse_graph(text, op_table());
  HostTensors states;
  return run_reference(g, {}, {}, inputs, {}, states).outputs.at("y").f;
}

HostTensor floats(Shape shape, std::vector<float> values) {
  HostTensor t({shape, Encoding::F32});
  t.f = std::move(values);
  return t;
}

HostTensor ints(Shape shape, std::vector<int32_t> values) {
  HostTensor t({shape, Encoding::I32});
  t.i = std::move(values);
  return t;
}

} // namespace

TEST_CASE("ops: rope_qkv and the states that it writes") {
  // "bias" has 4 elements: pairs of heads of 8.
  const auto given = [](const char *x, const char *k, const char *v, const char *call) {
    return infer(concat("  in x f32 ", x, "\n  state k ", k, "\n  state v ", v), call);
  };
  const char *call = "rope_qkv(x, bias, k, v) heads=4 kv_heads=2 at=pos", *cache = "f16 [2, 9, 16]";
  CHECK(given("[2, 3, 64]", cache, cache, call) == "f32 [2, 3, 32]");
  CHECK(given("[2, 3, 48]", cache, cache, "rope_qkv(x, bias, k) heads=4 kv_heads=2") == "f32 [2, 3, 32]");
  CHECK(given("[2, 3, 96]", "q8 [2, 9, 32]", "q8 [2, 9, 32]", "rope_qkv(x, bias, k, v) heads=1") ==
        "f32 [2, 3, 32]");
  CHECK(given("[3, 64]", cache, cache, call) == "rope_qkv: x [3, 64] is not rows [B, T, D] of 4 heads");
  CHECK(given("[2, 3, 64]", cache, cache, "rope_qkv(x, bias, k, v) heads=0") ==
        "rope_qkv: x [2, 3, 64] is not rows [B, T, D] of 0 heads");
  CHECK(given("[2, 3, 60]", cache, cache, call) ==
        "rope_qkv: x [2, 3, 60] is not rows of 8 heads of even length");
  CHECK(given("[2, 3, 56]", cache, cache, call) ==
        "rope_qkv: x [2, 3, 56] is not rows of 8 heads of even length");
  CHECK(given("[2, 3, 64]", cache, cache, "rope_qkv(x, bias, k, v) heads=4294967295") ==
        "rope_qkv: x [2, 3, 64] is not rows of 12884901885 heads of even length");
  CHECK(given("[2, 3, 48]", "f16 [2, 9, 12]", cache, call) ==
        "rope_qkv: frequencies [4] do not fit heads of 6");
  CHECK(given("[2, 3, 64]", "f16 [2, 9, 32]", cache, call) ==
        "rope_qkv: rows [2, 3, 16] do not fit k 'k' [2, 9, 32]");
  CHECK(given("[2, 3, 64]", cache, "f16 [2, 2, 16]", call) ==
        "rope_qkv: rows [2, 3, 16] do not fit v 'v' [2, 2, 16]");
  CHECK(given("[2, 3, 64]", cache, "f16 [1, 9, 16]", call) ==
        "rope_qkv: rows [2, 3, 16] do not fit v 'v' [1, 9, 16]");
  CHECK(given("[2, 3, 64]", cache, "f32 [2, 9, 16]", call) ==
        "rope_qkv: v 'v' must be f16 [2, 9, 16], it is f32 [2, 9, 16]");
  CHECK(given("[2, 3, 64]", cache, "i32 [2, 9, 16]", call) ==
        "rope_qkv: v 'v' is i32, it must be f32, f16 or q8");
  CHECK(given("[2, 3, 64]", cache, cache, "rope_qkv(x, bias, k, k) heads=4 kv_heads=2") ==
        "rope_qkv: k and v are both 'k'");
  CHECK(given("[2, 3, 64]", cache, cache, "rope_qkv(x, bias, k, x) heads=4 kv_heads=2") ==
        "rope_qkv: v 'x' is written and must be a state");
}

TEST_CASE("ops: windows of maps") {
  // "table" is [10, 32], "huge" [2^20, 2^12].
  CHECK(infer("  in x f32 [2, 9, 7, 8]", "conv2d(x, table) kernel=2") == "f32 [2, 8, 6, 10]");
  CHECK(infer("  in x f32 [1, 9, 7, 32]", "conv2d(x, table)") == "f32 [1, 9, 7, 10]");
  CHECK(infer("  in x f32 [1, 9, 7, 4]", "conv2d(x, table) kernel_w=8 padding=1") == "f32 [1, 11, 2, 10]");
  CHECK(infer("  in x f32 [1, 9, 7, 3]", "conv2d(x, table) kernel=3 stride=2 same=true") ==
        "f32 [1, 5, 4, 10]");
  CHECK(infer("  in x f32 [1, 9, 7, 16]", "conv2d(x, table) kernel=2 groups=2 stride=3") ==
        "f32 [1, 3, 2, 10]");
  CHECK(infer("  in x f32 [9, 7, 16]", "conv2d(x, table)") ==
        "conv2d: x must be [B, H, W, C], it is [9, 7, 16]");
  CHECK(infer("  in x f32 [1, 9, 7, 33]", "conv2d(x, table)").find("rows of 33 or a little more expected") !=
        std::string::npos);
  CHECK(infer("  in x f32 [1, 9, 7, 1]", "conv2d(x, huge)").find("rows of 4096, 1 expected") !=
        std::string::npos);
  CHECK(infer("  in x f32 [1, 9, 7, 16]", "conv2d(x, table) groups=3").find("groups=3 does not divide") !=
        std::string::npos);
  CHECK(infer("  in x f32 [1, 9, 7, 32]", "conv2d(x, table) stride=0").find("each must be 1 to 16384") !=
        std::string::npos);
  CHECK(infer("  in x f32 [1, 3, 7, 2]", "conv2d(x, table) kernel=4")
            .find("a window of 4 is larger than the map's 3 along H") != std::string::npos);
  CHECK(infer("  in x f32 [1, 3, 9, 8]", "channels_last(x)") == "f32 [1, 9, 8, 3]");
  CHECK(infer("  in x f32 [1, 3, 9, 8]", "channels_last(x) channels=4") == "f32 [1, 9, 8, 4]");
  CHECK(infer("  in x f32 [3, 9, 8]", "channels_last(x)").find("must be [B, C, H, W]") != std::string::npos);
}

TEST_CASE("ops: result types") {
  CHECK(infer("  in x f32 [2, 3]", "unary(x) f=gelu") == "f32 [2, 3]");
  CHECK(infer("  in x f32 [2, 3, 4]", "binary(x, bias)") == "f32 [2, 3, 4]");
  CHECK(infer("  in x f32 [2, 3]", "softmax(x) scale=0.125") == "f32 [2, 3]");
  CHECK(infer("  in x f32 [2, 3]", "l2_normalize(x)") == "f32 [2, 3]");
  CHECK(infer("  in x f32 [2, 5, 3]\n  in m i32 [2, 5]", "pool_rows(x, m) f=max") == "f32 [2, 3]");
  CHECK(infer("  in x f32 [2, 5, 3]", "pool_rows(x) f=first") == "f32 [2, 3]");
  CHECK(infer("  in x f32 [6, 2, 3]\n  in m i32 [3, 9]", "regroup(x, m)") == "f32 [3, 4, 3]");
  CHECK(infer("  in x f32 [5, 402]", "power_spectrum(x)") == "f32 [5, 201]");
  CHECK(infer("  in x f32 [5, 402]", "reduce_max(x)") == "f32 [1]");
  CHECK(infer("  in x f32 [5, 4]\n  in p f32 [1]", "dynamic_range(x, p)") == "f32 [5, 4]");
  CHECK(infer("  in x f32 [N]", "reflect_pad(x) left=2 right=3 length=10", {{"N", 10}}) == "f32 [15]");
  CHECK(infer("  in x f32 [2, 3, 4]", "transpose(x)") == "f32 [2, 4, 3]");
  CHECK(infer("  in x f16 [2, 3]", "copy(x)") == "f32 [2, 3]");
  CHECK(infer("  in x f16 [2, 3, 4]\n  in o i32 [5]", "take_batch(x, o)") == "f32 [5, 3, 4]");
  CHECK(infer("  in x f32 [2, 3, 4]", "top_k(x) k=4") == "f32 [2, 3, 4, 2]");
  CHECK(infer("  in x f32 [2, 1, 4]\n  in r i32 [2, 4]", "token_rules(x, suppress, r) time_begin=3") ==
        "f32 [2, 1, 4]");
  CHECK(infer("  in t i32 [2, 3]", "embed(t, table, places) at=pos") == "f32 [2, 3, 32]");
}

TEST_CASE("ops: what they refuse, in one line each") {
  CHECK(infer("  in x i32 [2]", "unary(x)") == "unary: x 'x' must be f32, it is i32 [2]");
  CHECK(infer("  in x f32 [65536, 65536]", "unary(x)") ==
        "unary: x [65536, 65536] has 4294967296 elements; kernels take 1 to 2147483648, so split it in the "
        "graph");
  CHECK(infer("  in x f32 [2]", "unary(x) f=cosh") == "graph 'g' line 4: unary: f cannot be 'cosh'");
  CHECK(infer("  in x f32 [2, 3]", "binary(x, bias)") ==
        "binary: b 'bias' [4] is neither of a's shape [2, 3] nor its trailing dimensions");
  CHECK(infer("  in x f32 [4]\n  in b f32 [1, 4]", "binary(x, b)") ==
        "binary: b 'b' [1, 4] is neither of a's shape [4] nor its trailing dimensions");
  CHECK(infer("  in x f32 [2]", "softmax(x) scale=-1") == "softmax: scale must be positive, it is -1");
  CHECK(infer("  in x f32 [2]", "softmax(x) scale=nan") == "softmax: scale must be positive, it is nan");
  CHECK(infer("  in x f32 [2, 5]", "power_spectrum(x)") ==
        "power_spectrum: rows of x hold real, then imaginary parts, but their length is odd: [2, 5]");
  CHECK(infer("  in x f32 [5]\n  in p f32 [2]", "dynamic_range(x, p)") ==
        "dynamic_range: peak 'p' must be f32 [1], it is f32 [2]");
  CHECK(infer("  in x f32 [11]", "reflect_pad(x) length=10") ==
        "reflect_pad: x has 11 elements, at most 10 fit");
  CHECK(infer("  in x f32 [5]", "reflect_pad(x) left=5 length=5") ==
        "reflect_pad: left=5 and right=0 must be less than length=5");
  CHECK(infer("  in x f32 [5]", "reflect_pad(x) left=5") ==
        "graph 'g' line 4: reflect_pad: field 'length' is missing");
  CHECK(infer("  in x f32 [5]", "transpose(x)") == "transpose: x must have rank 2 or more, it is [5]");
  CHECK(infer("  in x i32 [5]", "copy(x)") == "copy: x 'x' must be f32, it is i32 [5]");
  CHECK(infer("  in x f32 [2, 3, 4]\n  in o i32 [3]", "take_batch(x, o) rows=pos") ==
        "take_batch: with rows=pos order must have 2 elements, it has 3");
  CHECK(infer("  in x f32 [5]", "top_k(x) k=6") == "top_k: k=6 is not between 1 and 5");
  CHECK(infer("  in x f32 [100]", "top_k(x) k=65") == "top_k: k=65 is not between 1 and 64");
  CHECK(infer("  in x f32 [16777217]", "top_k(x) k=1") ==
        "top_k: rows of x have 16777217 elements, at most 16777216 are possible");
  CHECK(infer("  in x f32 [2, 4]\n  in r i32 [1, 4]", "token_rules(x, suppress, r) time_begin=3") ==
        "token_rules: rules 'r' must be i32 [2, 4], it is i32 [1, 4]");
  CHECK(infer("  in t f32 [3]", "embed(t, table)") == "embed: tokens 't' must be i32, it is f32 [3]");
  CHECK(infer("  in t i32 [3]", "embed(t, table3)") ==
        "embed: table 'table3' must be [V, D] of numbers, it is f32 [2, 5, 32]");
  CHECK(infer("  in t i32 [7]", "embed(t, table, places)") ==
        "embed: 7 tokens, but 'places' has only 6 positions: give fewer");
  CHECK(infer("  in x f32 [2, 3]", "l2_normalize(x) eps=0") == "l2_normalize: eps must be positive, it is 0");
  CHECK(infer("  in x f32 [6, 1, 3]\n  in m i32 [4, 9]", "regroup(x, m)") ==
        "regroup: the rows of x [6, 1, 3] cannot be the batches of 'm' [4, 9]");
  CHECK(infer("  in x f32 [2, 3]", "pool_rows(x)") ==
        "pool_rows: x must be [B, T, D] or [B, H, W, D], it is [2, 3]");
  CHECK(infer("  in x f32 [2, 5, 3]\n  in m i32 [5]", "pool_rows(x, m)").find("mask 'm'") !=
        std::string::npos);
  CHECK(infer("  in t i32 [3]", "embed(t, ints)") ==
        "embed: table 'ints' must be [V, D] of numbers, it is i32 [10, 32]");
  CHECK(infer("  in t i32 [3]", "embed(t, hollow)") ==
        "embed: table [0, 32] has 0 elements; kernels take 1 to 2147483648, so split it in the graph");
  CHECK(infer("  in t i32 [3]", "embed(t, huge)")
            .starts_with("embed: table [1048576, 4096] has 4294967296 elements"));
  CHECK(infer("  in t i32 [3]", "embed(t, table, places16)") ==
        "embed: positions 'places16' must be f32, it is f16 [6, 32]");
  CHECK(infer("  in t i32 [3]", "embed(t, table, places8)") ==
        "embed: positions 'places8' must be [C, 32], they are [6, 8]");
}

TEST_CASE("ops: fields are printed as they are read, defaults are not") {
  const std::string text = "graph g\n"
                           "  in t i32 [2, 3]\n"
                           "  in x f32 [8]\n"
                           "  in o i32 [2]\n"
                           "  step pos\n"
                           "  state s f16 [2, 8, 32]\n"
                           "  h = embed(t, table, places) at=pos\n"
                           "  copy(h) -> s[pos]\n"
                           "  take_batch(s, o) rows=pos -> s\n"
                           "  e = unary(x) f=log10 min=1e-10\n"
                           "  m = reduce_max(e)\n"
                           "  d = dynamic_range(e, m) range=4\n"
                           "  r = reflect_pad(d) left=2 length=9\n"
                           "  b = binary(r, r) f=sub\n"
                           "  out y = top_k(b) k=3\n";
  CHECK(print_graph(parse_graph(text, op_table())) == text);
}

TEST_CASE("ops: values known by heart") {
  CHECK(evaluate("graph g\n in x f32 [3]\n out y = reflect_pad(x) left=2 right=3 length=5\n",
                 {{"x", floats({3}, {1, 2, 3})}}) == std::vector<float>{3, 2, 1, 2, 3, 0, 0, 0, 3, 2});
  CHECK(evaluate("graph g\n in x f32 [2, 3]\n out y = transpose(x)\n",
                 {{"x", floats({2, 3}, {1, 2, 3, 4, 5, 6})}}) == std::vector<float>{1, 4, 2, 5, 3, 6});
  CHECK(evaluate("graph g\n in x f32 [5]\n out y = top_k(x) k=3\n", {{"x", floats({5}, {1, 7, 3, 7, 0})}}) ==
        std::vector<float>{7, 1, 7, 3, 3, 2});
  CHECK(evaluate("graph g\n in x f32 [1, 4]\n out y = power_spectrum(x)\n",
                 {{"x", floats({1, 4}, {3, 1, 4, 2})}}) == std::vector<float>{25, 5});
  CHECK(evaluate("graph g\n in x f32 [2]\n m = reduce_max(x)\n out y = dynamic_range(x, m)\n",
                 {{"x", floats({2}, {-20, 2})}}) == std::vector<float>{-0.5f, 1.5f});
  const std::vector<float> gelu =
      evaluate("graph g\n in x f32 [2]\n out y = unary(x) f=gelu\n", {{"x", floats({2}, {1, -1})}});
  CHECK(gelu[0] == doctest::Approx(0.8413447));
  CHECK(gelu[1] == doctest::Approx(-0.1586553));
}

TEST_CASE("token_rules: the log-probabilities of what is allowed sum to one; likely times rule out text") {
  const std::string text = "graph g\n in x f32 [1, 4]\n in s f32 [4]\n in r i32 [1, 4]\n"
                           " out y = token_rules(x, s, r) time_begin=2\n";
  const auto run = [&](std::vector<float> x, std::vector<float> s, std::vector<int32_t> r) {
    return evaluate(text, {{"x", floats({1, 4}, std::move(x))},
                           {"s", floats({4}, std::move(s))},
                           {"r", ints({1, 4}, std::move(r))}});
  };
  // Text 0 and 1 against times 2 and 3: log(e^0 + e^0) = 0.69 is below 1, so text stays.
  std::vector<float> y = run({1, 0, 0, 0}, {0, 0, 0, 0}, {0, 2, 4, 0});
  CHECK(y[0] == doctest::Approx(1 - std::log(std::exp(1.0) + 3)));
  // It is above 0.5, so only times are left, one half each.
  y = run({0.5f, 0, 0, 0}, {0, 0, 0, 0}, {0, 2, 4, 0});
  CHECK(y[0] == -3e38f);
  CHECK(y[3] == doctest::Approx(std::log(0.5)));
  // Suppressed always, suppressed first, out of range.
  y = run({9, 9, 0, 0}, {1, 2, 0, 0}, {0, 3, 4, 1});
  CHECK(y == std::vector<float>{-3e38f, -3e38f, -3e38f, 0});
  y = run({9, 9, 0, 0}, {1, 2, 0, 0}, {0, 2, 2, 0});
  CHECK(y == std::vector<float>{-3e38f, 0, -3e38f, -3e38f});
  CHECK(run({9, 9, 0, 0}, {1, 1, 1, 1}, {0, 0, 4, 0}) == std::vector<float>(4, -3e38f));
}
