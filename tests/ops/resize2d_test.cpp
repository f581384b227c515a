#include "support/op_case.h"

#include <doctest/doctest.h>

using namespace fovea;

TEST_CASE("resize2d: every mode, larger, smaller and alike") {
  for (const char *mode :
       {"", " mode=nearest", " mode=bicubic", " align_corners=true", " mode=bicubic align_corners=true"})
    for (const uint64_t channels : {1, 3, 8, 20})
      for (const auto &[h, w] : {std::pair{1, 1}, {5, 7}, {11, 13}, {3, 4}, {17, 1}, {40, 28}}) {
        OpCase c;
        c.graph_text = concat("graph g\n  in x f32 [2, 5, 7, ", channels, "]\n  out y = resize2d(x)", mode,
                              " height=", h, " width=", w, "\n");
        // align_corners follows the size in the order of fields.
        c.inputs["x"] = random_tensor({{2, 5, 7, channels}, Encoding::F32}, uint32_t(channels));
        c.terms = 16;
        run_op_case(c);
      }
}

TEST_CASE("resize2d: to another map's size, with a residual, by a factor") {
  for (const uint64_t channels : {3, 8}) {
    OpCase c;
    c.graph_text = concat("graph g\n  in x f32 [2, 3, 4, ", channels, "]\n  in z f32 [2, 6, 9, ", channels,
                          "]\n  out y = resize2d(x, z, z) act=relu\n  out w = resize2d(x) factor=3\n");
    c.inputs["x"] = random_tensor({{2, 3, 4, channels}, Encoding::F32}, 1);
    c.inputs["z"] = random_tensor({{2, 6, 9, channels}, Encoding::F32}, 2);
    c.terms = 16;
    run_op_case(c);
  }
}

TEST_CASE("map_positions: waves and tables") {
  for (const uint64_t features : {1, 6, 32, 128})
    for (const char *fields : {"", " scale=6.2831855", " temperature=20 scale=6.2831855"}) {
      OpCase c;
      c.graph_text =
          concat("graph g\n  in x f32 [1, H, W, 2]\n  out y = map_positions(x) features=", features, fields,
                 "\n  out z = map_positions(x, columns, rows) features=", features, "\n");
      c.bindings = {{"H", 9}, {"W", 40}};
      c.inputs["x"] = random_tensor({{1, 9, 40, 2}, Encoding::F32}, 1);
      c.weights["columns"] = random_tensor({{50, features}, Encoding::F32}, 2);
      c.weights["rows"] = random_tensor({{9, features}, Encoding::F32}, 3);
      // exp2() and a division: 3 + 2 |x| and 2.5 units in the last place of an angle up to 40.
      c.tolerance_factor = 60;
      run_op_case(c);
    }
}
