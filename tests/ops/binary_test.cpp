#include "support/op_case.h"

#include "ops/binary.h"

#include <doctest/doctest.h>

using namespace fovea;

TEST_CASE("binary: every function on equal shapes") {
  for (const char *f : kBinaryFunctionNames)
    for (const uint64_t n : {1, 33, 1027}) {
      OpCase c;
      c.graph_text =
          concat("graph g\n  in a f32 [N, 3]\n  in b f32 [N, 3]\n  out y = binary(a, b) f=", f, "\n");
      c.bindings = {{"N", n}};
      c.inputs["a"] = random_tensor({{n, 3}, Encoding::F32}, 1);
      c.inputs["b"] = random_tensor({{n, 3}, Encoding::F32}, 2);
      run_op_case(c);
    }
}

TEST_CASE("binary: b repeats over a's leading dimensions, from a value or from the file") {
  for (const uint64_t t : {1, 7})
    for (const uint64_t d : {1, 31, 384}) {
      OpCase c;
      c.graph_text = concat("graph g\n  in a f32 [2, ", t, ", ", d, "]\n  in p f32 [1, ", t, ", ", d,
                            "]\n  h = binary(a, p)\n  out y = binary(h, bias) f=mul\n");
      c.inputs["a"] = random_tensor({{2, t, d}, Encoding::F32}, 1);
      c.inputs["p"] = random_tensor({{1, t, d}, Encoding::F32}, 2);
      c.weights["bias"] = random_tensor({{d}, Encoding::F32}, 3);
      run_op_case(c);
    }
}
