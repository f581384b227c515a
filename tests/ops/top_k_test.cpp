#include "support/op_case.h"

#include <doctest/doctest.h>

using namespace fovea;

namespace {

OpCase top_k_case(uint64_t rows, uint64_t width, uint32_t k) {
  OpCase c;
  c.graph_text = concat("graph g\n  in x f32 [T, ", width, "]\n  out y = top_k(x) k=", k, "\n");
  c.bindings = {{"T", rows}};
  c.inputs["x"] = random_tensor({{rows, width}, Encoding::F32}, uint32_t(width * 7 + k));
  return c;
}

} // namespace

TEST_CASE("top_k: short and long rows, one block and many") {
  for (const uint64_t width : {1, 3, 31, 33, 127, 256, 257, 1000, 51865})
    for (const uint32_t k : {1u, 2u, 5u, 64u})
      if (k <= width)
        for (const uint64_t rows : {1, 3}) run_op_case(top_k_case(rows, width, k));
}

TEST_CASE("top_k: among equals the lower index comes first") {
  for (const uint32_t k : {1u, 7u, 64u}) {
    OpCase c = top_k_case(3, 600, k);
    std::vector<float> &x = c.inputs["x"].f;
    for (size_t i = 0; i < x.size(); ++i) x[i] = float(i * 37 % 5); // many of each value, in every block
    std::fill(x.begin() + 600, x.begin() + 1200, -3e38f);           // a row of which nothing is allowed
    run_op_case(c);
  }
}

TEST_CASE("top_k: the best in one block, or in the last element") {
  OpCase c = top_k_case(2, 2000, 20);
  std::vector<float> &x = c.inputs["x"].f;
  for (size_t i = 300; i < 340; ++i) x[i] = 10 + float(i % 13);
  x.back() = 100;
  run_op_case(c);
}
