#include "support/op_case.h"

#include <doctest/doctest.h>

using namespace fovea;

TEST_CASE("reduce_max: one block, several, a short last one; all negative") {
  for (const uint64_t n : {1, 3, 31, 127, 4096, 4097, 20001})
    for (const float shift : {0.0f, -50.0f}) {
      OpCase c;
      c.graph_text = "graph g\n  in x f32 [N]\n  out y = reduce_max(x)\n";
      c.bindings = {{"N", n}};
      c.inputs["x"] = random_tensor({{n}, Encoding::F32}, uint32_t(n));
      for (float &v : c.inputs["x"].f) v += shift;
      run_op_case(c);
    }
  for (const uint64_t at : {0, 4095, 8192, 12345}) { // the last element, alone in its block
    OpCase c;
    c.graph_text = "graph g\n  in x f32 [N]\n  out y = reduce_max(x)\n";
    c.bindings = {{"N", at + 1}};
    c.inputs["x"] = random_tensor({{at + 1}, Encoding::F32}, 1);
    c.inputs["x"].f[at] = 100;
    run_op_case(c);
  }
}
