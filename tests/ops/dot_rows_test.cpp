#include "support/op_case.h"

#include <doctest/doctest.h>

using namespace fovea;

TEST_CASE("dot_rows: a few rows of every length, with and without a scale") {
  for (const char *scale : {"", ", s"})
    for (const uint64_t width : {1, 31, 127, 512}) {
      OpCase c;
      c.graph_text = concat("graph g\n  in a f32 [N, ", width, "]\n  in b f32 [M, ", width,
                            "]\n  out y = dot_rows(a, b", scale, ")\n");
      c.bindings = {{"N", 3}, {"M", 33}};
      c.inputs["a"] = random_tensor({{3, width}, Encoding::F32}, 1);
      c.inputs["b"] = random_tensor({{33, width}, Encoding::F32}, 2);
      if (*scale) c.weights["s"] = random_tensor({{1}, Encoding::F32}, 3, 100);
      c.terms = width;
      // Sums cancel: the largest result says little about the addends.
      c.tolerance_factor = 4;
      run_op_case(c);
    }
}
