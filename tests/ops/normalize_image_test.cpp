#include "support/op_case.h"

#include <doctest/doctest.h>

using namespace fovea;

TEST_CASE("normalize_image: images of one pixel and of odd sizes") {
  for (const auto &[height, width] : {std::pair{1, 1}, {3, 31}, {33, 127}, {224, 224}}) {
    OpCase c;
    c.graph_text = "graph g\n  in x f32 [H, W, 3]\n  out y = normalize_image(x, a, b)\n";
    c.bindings = {{"H", height}, {"W", width}};
    c.inputs["x"] =
        random_tensor({{uint64_t(height), uint64_t(width), 3}, Encoding::F32}, uint32_t(width), 100);
    c.weights["a"] = random_tensor({{3}, Encoding::F32}, 1, 0.01f);
    c.weights["b"] = random_tensor({{3}, Encoding::F32}, 2);
    c.terms = 2;
    run_op_case(c);
  }
}
