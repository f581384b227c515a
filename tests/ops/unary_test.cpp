#include "support/op_case.h"

#include "ops/unary.h"

#include <cmath>
#include <doctest/doctest.h>

using namespace fovea;

TEST_CASE("unary: every function, from deep in one tail to deep in the other") {
  for (const char *f : kUnaryFunctionNames)
    for (const uint64_t n : {1, 3, 31, 257, 4099}) {
      OpCase c;
      c.graph_text = concat("graph g\n  in x f32 [N]\n  out y = unary(x) f=", f, "\n");
      c.bindings = {{"N", n}};
      c.inputs["x"] = random_tensor({{n}, Encoding::F32}, uint32_t(n), 3);
      const bool positive = f == std::string("log") || f == std::string("log10") || f == std::string("sqrt");
      for (float &v : c.inputs["x"].f)
        if (positive) v = std::abs(v) + 1e-6f;
      // Vulkan allows exp() an error of 3 + 2 |x| units in the last place.
      c.tolerance_factor = f == std::string("exp") ? 4 : 1;
      run_op_case(c);
    }
}

TEST_CASE("unary: far tails stay finite") {
  for (const char *f : {"gelu", "relu", "silu", "gelu_tanh", "quick_gelu", "tanh", "sigmoid"}) {
    OpCase c;
    c.graph_text = concat("graph g\n  in x f32 [12]\n  out y = unary(x) f=", f, "\n");
    c.inputs["x"] = HostTensor({{12}, Encoding::F32});
    // exp(88.7) is the largest that f32 holds, exp(-87.3) the smallest that is not subnormal.
    c.inputs["x"].f = {-1e4f, -100, -89, -88, -30, -0.0f, 1e-6f, 30, 88, 89, 100, 1e4f};
    run_op_case(c);
    // Alone, since the largest value sets the tolerance: what is far down is zero, not NaN.
    if (f == std::string("tanh")) continue;
    OpCase down;
    down.graph_text = concat("graph g\n  in x f32 [6]\n  out y = unary(x) f=", f, "\n");
    down.inputs["x"] = HostTensor({{6}, Encoding::F32});
    down.inputs["x"].f = {-3e38f, -1e20f, -1e4f, -200, -120, -110};
    run_op_case(down);
  }
}

TEST_CASE("unary: min is the floor of a logarithm") {
  OpCase c;
  c.graph_text = "graph g\n  in x f32 [3, 5]\n  out y = unary(x) f=log10 min=1e-10\n";
  c.inputs["x"] = random_tensor({{3, 5}, Encoding::F32}, 1, 1e-9f);
  c.inputs["x"].f[4] = 0;
  run_op_case(c);
}

TEST_CASE("unary: more groups than one dimension of a dispatch takes") {
  OpCase c;
  c.graph_text = "graph g\n  in x f32 [70001]\n  out y = unary(x) f=neg\n";
  c.inputs["x"] = random_tensor({{70001}, Encoding::F32}, 1);
  c.adjust_caps = [](DeviceCaps &caps) { caps.max_workgroup_count = {16, 65535, 65535}; };
  run_op_case(c);
}
