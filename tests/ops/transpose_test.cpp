#include "support/op_case.h"

#include <doctest/doctest.h>

using namespace fovea;

TEST_CASE("transpose: rank 2, and each batch of rank 3") {
  for (const uint64_t a : {1, 3, 31, 80})
    for (const uint64_t b : {1, 33, 127, 3000})
      for (const char *batch : {"", "3, "}) {
        OpCase c;
        c.graph_text = concat("graph g\n  in x f32 [", batch, a, ", ", b, "]\n  out y = transpose(x)\n");
        const Shape shape = *batch ? Shape{3, a, b} : Shape{a, b};
        c.inputs["x"] = random_tensor({shape, Encoding::F32}, uint32_t(a * b));
        run_op_case(c);
      }
}
