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

TEST_CASE("copy: rows of a q8 state, whose scales two rows may share a word of") {
  for (const uint64_t width : {32, 64, 96})
    for (const char *batch : {"", "3, "})
      for (const uint32_t pos : {0u, 3u, 8u}) {
        OpCase c;
        c.graph_text = concat("graph g\n  in x f32 [", batch, "2, ", width, "]\n  in z f32 [", batch, "1, ",
                              width, "]\n  step pos\n  state s q8 [", batch, "10, ", width,
                              "]\n  copy(x) -> s[pos]\n  copy(z) -> s\n  out y = copy(x)\n");
        c.steps = {{"pos", pos}};
        c.inputs["x"] = random_tensor({*batch ? Shape{3, 2, width} : Shape{2, width}, Encoding::F32}, pos,
                                      pos == 3 ? 1e-7f : 3);
        c.inputs["z"] = random_tensor({*batch ? Shape{3, 1, width} : Shape{1, width}, Encoding::F32}, 5, 100);
        if (pos == 8) // steps of 1/8, which are held exactly
          for (auto *tensor : {&c.inputs["x"], &c.inputs["z"]})
            for (size_t i = 0; i < tensor->f.size(); ++i)
              tensor->f[i] = i % 32 == 3 ? 127 / 8.0f : float(int(i * 37 % 255) - 127) / 8;
        c.tolerance_factor = pos == 8 ? 0 : 1;
        run_op_case(c);
      }
}

TEST_CASE("copy: states that q8 and q4 cannot be") {
  const auto message = [](const char *state) {
    OpCase c;
    c.graph_text = concat("graph g\n  in x f32 [2, 48]\n  state s ", state, " [4, 48]\n  copy(x) -> s\n");
    c.inputs["x"] = random_tensor({{2, 48}, Encoding::F32}, 1);
    try {
      run_op_case(c);
    } catch (const Error &e) {
      return std::string(e.what());
    }
    return std::string();
  };
  CHECK(message("q8").find("multiple of 32") != std::string::npos);
  CHECK(message("q4").find("q4") != std::string::npos);
}
