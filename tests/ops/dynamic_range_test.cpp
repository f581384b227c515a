#include "support/op_case.h"

#include <doctest/doctest.h>

using namespace fovea;

TEST_CASE("dynamic_range: below, at and above the floor") {
  for (const char *fields : {"", " range=2 offset=-1.5 scale=3"})
    for (const uint64_t n : {1, 33, 5000}) {
      OpCase c;
      c.graph_text =
          concat("graph g\n  in x f32 [T, 2]\n  in p f32 [1]\n  out y = dynamic_range(x, p)", fields, "\n");
      c.bindings = {{"T", n}};
      c.inputs["x"] = random_tensor({{n, 2}, Encoding::F32}, uint32_t(n), 6);
      c.inputs["p"] = random_tensor({{1}, Encoding::F32}, 2);
      c.inputs["p"].f[0] = 1.5f;
      run_op_case(c);
    }
}
