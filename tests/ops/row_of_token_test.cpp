#include "support/op_case.h"

#include <doctest/doctest.h>

using namespace fovea;

TEST_CASE("row_of_token: the first of several, the highest, none") {
  for (const char *fields : {" id=2", " highest=true", " id=99", ""})
    for (const uint64_t t : {1, 3, 33, 77})
      for (const uint64_t d : {1, 31, 64}) {
        OpCase c;
        c.graph_text = concat("graph g\n  in x f32 [B, T, ", d,
                              "]\n  in n i32 [B, T]\n  out y = row_of_token(x, n)", fields, "\n");
        c.bindings = {{"B", 4}, {"T", t}};
        c.inputs["x"] = random_tensor({{4, t, d}, Encoding::F32}, uint32_t(t));
        c.inputs["n"] = random_tensor({{4, t}, Encoding::I32}, uint32_t(d), 1, 5);
        run_op_case(c);
      }
}
