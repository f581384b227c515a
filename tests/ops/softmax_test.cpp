#include "support/op_case.h"

#include <doctest/doctest.h>

using namespace fovea;

TEST_CASE("softmax: short rows, long rows, scaled") {
  for (const uint64_t width : {1, 3, 31, 33, 127, 448, 1500, 51865})
    for (const uint64_t rows : {1, 5})
      for (const float scale : {1.0f, 0.125f, 8.0f}) {
        OpCase c;
        c.graph_text =
            concat("graph g\n  in x f32 [T, ", width, "]\n  out y = softmax(x) scale=", scale, "\n");
        c.bindings = {{"T", rows}};
        c.inputs["x"] = random_tensor({{rows, width}, Encoding::F32}, uint32_t(width + rows), 4);
        c.terms = 64 + width / 4; // a sum is taken in at least 4 parts
        run_op_case(c);
      }
}

TEST_CASE("softmax: logarithms") {
  for (const uint64_t width : {1, 3, 33, 448, 51865})
    for (const float scale : {1.0f, 8.0f}) {
      OpCase c;
      c.graph_text =
          concat("graph g\n  in x f32 [3, ", width, "]\n  out y = softmax(x) scale=", scale, " log=true\n");
      c.inputs["x"] = random_tensor({{3, width}, Encoding::F32}, uint32_t(width), 4);
      c.inputs["x"].f[0] = -3000;
      c.terms = 64 + width / 4;
      run_op_case(c);
    }
}

TEST_CASE("softmax: large and masked elements") {
  OpCase c;
  c.graph_text = "graph g\n  in x f32 [2, 6]\n  out y = softmax(x) scale=2\n";
  c.inputs["x"] = HostTensor({{2, 6}, Encoding::F32});
  c.inputs["x"].f = {-3e38f, 1, 2, -3e38f, 2, 0, 3000, 2999, -3000, 2999.5f, 0, -3e38f};
  c.tolerance_factor = 4; // exp() may lose 3 + 2 |x| units in the last place
  run_op_case(c);
}
