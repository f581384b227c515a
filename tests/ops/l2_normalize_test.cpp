#include "support/op_case.h"

#include <doctest/doctest.h>

using namespace fovea;

TEST_CASE("l2_normalize: rows of every length, tiny and zero rows") {
  for (const uint64_t width : {1, 3, 31, 33, 127, 384, 1280})
    for (const float scale : {1.0f, 1e-15f}) {
      OpCase c;
      c.graph_text = concat("graph g\n  in x f32 [2, T, ", width, "]\n  out y = l2_normalize(x)\n");
      c.bindings = {{"T", 3}};
      c.inputs["x"] = random_tensor({{2, 3, width}, Encoding::F32}, uint32_t(width), scale);
      std::fill_n(c.inputs["x"].f.begin(), width, 0.0f);
      c.terms = width;
      run_op_case(c);
    }
}
