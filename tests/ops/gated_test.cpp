#include "support/op_case.h"

#include "ops/gated.h"

#include <doctest/doctest.h>

using namespace fovea;

TEST_CASE("gated: every activation, rows of every length") {
  for (const char *act : kActivationNames)
    for (const uint64_t width : {1, 3, 31, 172, 1024})
      for (const uint64_t rows : {1, 5}) {
        OpCase c;
        c.graph_text = concat("graph g\n  in x f32 [2, T, ", 2 * width, "]\n  out y = gated(x)",
                              act == std::string("none") ? "" : concat(" act=", act), "\n");
        c.bindings = {{"T", rows}};
        c.inputs["x"] = random_tensor({{2, rows, 2 * width}, Encoding::F32}, uint32_t(width), 4);
        c.terms = 8; // the polynomial of erf
        run_op_case(c);
      }
}

TEST_CASE("gated: values far out stay finite") {
  for (const char *act : kActivationNames) {
    OpCase c;
    c.graph_text = concat("graph g\n  in x f32 [1, 16]\n  out y = gated(x)",
                          act == std::string("none") ? "" : concat(" act=", act), "\n");
    c.inputs["x"] = random_tensor({{1, 16}, Encoding::F32}, 1, 1);
    const float far[] = {-1e4f, 1e4f, -90, 90, -30, 30, 0, -0.0f};
    std::copy(std::begin(far), std::end(far), c.inputs["x"].f.begin());
    c.terms = 8;
    run_op_case(c);
  }
}
