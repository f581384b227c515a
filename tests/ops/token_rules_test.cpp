#include "support/op_case.h"

#include <doctest/doctest.h>

using namespace fovea;

namespace {

OpCase rules_case(uint64_t rows, uint64_t width, uint64_t time_begin, std::vector<int32_t> rule,
                  uint32_t seed) {
  OpCase c;
  c.graph_text = concat("graph g\n  in x f32 [T, ", width, "]\n  in rules i32 [T, 4]\n",
                        "  out y = token_rules(x, suppress, rules) time_begin=", time_begin, "\n");
  c.bindings = {{"T", rows}};
  c.inputs["x"] = random_tensor({{rows, width}, Encoding::F32}, seed, 4);
  c.inputs["rules"] = HostTensor({{rows, 4}, Encoding::I32});
  for (uint64_t r = 0; r < rows; ++r)
    std::copy(rule.begin(), rule.end(), c.inputs["rules"].i.begin() + std::ptrdiff_t(4 * r));
  c.weights["suppress"] = HostTensor({{width}, Encoding::F32});
  for (size_t i = 0; i < width; ++i)
    c.weights["suppress"].f[i] = float(i * 7 % 11 == 1 ? 1 : i * 5 % 13 == 1 ? 2 : 0);
  c.terms = 64 + width / 4; // a sum is taken in at least 4 parts
  return c;
}

} // namespace

TEST_CASE("token_rules: text, times, and the first token") {
  for (const uint64_t width : {20, 51, 127, 1000, 51865})
    for (const uint64_t rows : {1, 3})
      for (const int32_t first : {0, 1}) {
        const auto v = int32_t(width), begin = v * 3 / 4;
        for (const std::vector<int32_t> &rule : {std::vector<int32_t>{0, begin, v, first},
                                                 {0, begin + 2, begin + 3, first},
                                                 {0, v, 0, first},     // text alone
                                                 {v, begin, v, first}, // times alone
                                                 {begin / 2, begin, begin + 1, first}})
          run_op_case(rules_case(rows, width, uint64_t(begin), rule, uint32_t(width + rows)));
      }
}

TEST_CASE("token_rules: likely times rule out text") {
  for (const float lift : {-6.0f, 6.0f, 40.0f, 3000.0f}) {
    OpCase c = rules_case(2, 300, 200, {0, 200, 300, 0}, 5);
    for (size_t i = 200; i < 300; ++i) c.inputs["x"].f[i] += lift; // of row 0 only
    run_op_case(c);
  }
}

TEST_CASE("token_rules: no times at all; nothing allowed") {
  run_op_case(rules_case(2, 300, 300, {0, 0, 300, 0}, 1));
  run_op_case(rules_case(2, 300, 4000000000, {0, 0, 300, 0}, 1));
  run_op_case(rules_case(2, 300, 0, {0, 10, 300, 1}, 1));
  run_op_case(rules_case(2, 300, 200, {300, 300, 300, 0}, 1));
  run_op_case(rules_case(2, 300, 200, {INT32_MAX, INT32_MIN, INT32_MIN, -1}, 1));
}

TEST_CASE("token_rules, top_k: the best that is allowed") {
  OpCase c = rules_case(2, 51865, 50364, {0, 50364, 50400, 1}, 9);
  c.graph_text =
      "graph g\n  in x f32 [2, 51865]\n  in rules i32 [2, 4]\n  p = token_rules(x, suppress, rules) "
      "time_begin=50364\n  out y = top_k(p) k=5\n";
  run_op_case(c);
}
