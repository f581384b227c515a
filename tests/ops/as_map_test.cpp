#include "support/op_case.h"

#include <doctest/doctest.h>

using namespace fovea;

TEST_CASE("as_map: a view inside the graph, a copy as an output") {
  OpCase c;
  c.graph_text =
      "graph g\n  in x f32 [2, T, 6]\n  in s f32 [1, N]\n  m = as_map(x)\n  out y = conv2d(m, w) kernel_h=1 "
      "kernel_w=3\n  n = as_map(s)\n  out z = conv2d(n, v) kernel_h=1 kernel_w=4 stride_w=2\n  out u = "
      "as_map(x)\n";
  c.bindings = {{"T", 9}, {"N", 31}};
  c.inputs["x"] = random_tensor({{2, 9, 6}, Encoding::F32}, 1);
  c.inputs["s"] = random_tensor({{1, 31}, Encoding::F32}, 2);
  c.weights["w"] = random_tensor({{5, 18}, Encoding::F32}, 3);
  c.weights["v"] = random_tensor({{3, 4}, Encoding::F32}, 4);
  c.terms = 18;
  run_op_case(c);
}
