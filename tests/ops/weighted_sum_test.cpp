#include "support/op_case.h"

#include <doctest/doctest.h>

using namespace fovea;

TEST_CASE("weighted_sum: sequences and rows of every length, weights in each shape") {
  for (const uint64_t rows : {1, 3, 33, 200})
    for (const uint64_t width : {1, 31, 40, 127}) {
      for (const char *shape : {"[B, T]", "[B, T, 1]", "[B, 1, T]"}) {
        OpCase c;
        c.graph_text = concat("graph g\n  in x f32 [B, T, ", width, "]\n  in w f32 ", shape,
                              "\n  out y = weighted_sum(x, w)\n");
        c.bindings = {{"B", 3}, {"T", rows}};
        c.inputs["x"] = random_tensor({{3, rows, width}, Encoding::F32}, 1);
        const std::string_view s = shape;
        const Shape w = s == "[B, T]"      ? Shape{3, rows}
                        : s == "[B, T, 1]" ? Shape{3, rows, 1}
                                           : Shape{3, 1, rows};
        c.inputs["w"] = random_tensor({w, Encoding::F32}, 2);
        c.terms = rows;
        run_op_case(c);
      }
    }
}
