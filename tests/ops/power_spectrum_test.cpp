#include "support/op_case.h"

#include <doctest/doctest.h>

using namespace fovea;

TEST_CASE("power_spectrum: squares of real and imaginary halves") {
  for (const uint64_t rows : {1, 3, 50})
    for (const uint64_t width : {1, 2, 31, 201}) {
      OpCase c;
      c.graph_text = concat("graph g\n  in x f32 [T, ", 2 * width, "]\n  out y = power_spectrum(x)\n");
      c.bindings = {{"T", rows}};
      c.inputs["x"] = random_tensor({{rows, 2 * width}, Encoding::F32}, 1, 10);
      run_op_case(c);
    }
}
