#include "support/op_case.h"

#include <doctest/doctest.h>

using namespace fovea;

TEST_CASE("layer_norm: every row, and the last of each batch") {
  for (const uint64_t width : {1, 3, 31, 33, 127, 384, 1280})
    for (const uint64_t rows : {1, 2, 7})
      for (const char *which : {"all", "last"}) {
        OpCase c;
        c.graph_text = concat("graph g\n  in x f32 [2, T, ", width,
                              "]\n  out y = layer_norm(x, g, b) rows=", which, "\n");
        c.bindings = {{"T", rows}};
        c.inputs["x"] = random_tensor({{2, rows, width}, Encoding::F32}, uint32_t(width * 31 + rows), 3);
        for (float &v : c.inputs["x"].f) v += 5; // a mean far from zero
        c.weights["g"] = random_tensor({{width}, Encoding::F32}, 1);
        c.weights["b"] = random_tensor({{width}, Encoding::F32}, 2);
        c.terms = width;
        // Rows of nearly equal elements amplify the rounding of the mean by mean / deviation.
        c.tolerance_factor = 8;
        run_op_case(c);
      }
}
