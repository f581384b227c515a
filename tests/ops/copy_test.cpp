#include "support/op_case.h"

#include <doctest/doctest.h>

using namespace fovea;

TEST_CASE("copy: a value, f32 or f16") {
  for (const uint64_t width : {1, 3, 33, 384})
    for (const Encoding e : {Encoding::F32, Encoding::F16}) {
      OpCase c;
      c.graph_text = concat("graph g\n  in x ", e, " [T, ", width, "]\n  out y = copy(x)\n");
      c.bindings = {{"T", 5}};
      c.inputs["x"] = random_tensor({{5, width}, e}, uint32_t(width));
      run_op_case(c);
    }
}

TEST_CASE("copy: rows of a state from a step on") {
  for (const char *batch : {"", "3, "})
    for (const Encoding e : {Encoding::F32, Encoding::F16})
      for (const uint32_t pos : {0u, 3u, 5u}) {
        OpCase c;
        c.graph_text = concat("graph g\n  in x f32 [", batch, "T, 6]\n  step pos\n  state s ", e, " [", batch,
                              "10, 6]\n  copy(x) -> s[pos]\n  out y = copy(x)\n");
        c.bindings = {{"T", 5}};
        c.steps = {{"pos", pos}};
        c.inputs["x"] = random_tensor({*batch ? Shape{3, 5, 6} : Shape{5, 6}, Encoding::F32}, pos);
        run_op_case(c);
      }
}
