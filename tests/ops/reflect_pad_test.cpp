#include "support/op_case.h"

#include <doctest/doctest.h>

using namespace fovea;

TEST_CASE("reflect_pad: short, exact and zero-extended signals") {
  struct Row {
    uint64_t n, left, right, length;
  };
  for (const Row r : {Row{1, 0, 0, 1}, Row{3, 2, 2, 3}, Row{3, 2, 1, 7}, Row{7, 6, 6, 7},
                      Row{1000, 200, 200, 1000}, Row{999, 200, 199, 1200}, Row{1, 5, 5, 6}}) {
    OpCase c;
    c.graph_text = concat("graph g\n  in x f32 [N]\n  out y = reflect_pad(x) left=", r.left,
                          " right=", r.right, " length=", r.length, "\n");
    c.bindings = {{"N", r.n}};
    c.inputs["x"] = random_tensor({{r.n}, Encoding::F32}, uint32_t(r.n));
    run_op_case(c);
  }
}
