#include "support/op_case.h"

#include <doctest/doctest.h>

using namespace fovea;

TEST_CASE("concat: rows and channels, two and three, one repeated for every batch") {
  for (const uint64_t width : {1, 3, 8, 33})
    for (const bool third : {false, true}) {
      OpCase c;
      c.graph_text = concat("graph g\n  in x f32 [B, T, ", width, "]\n  in z f32 [B, 2, ", width,
                            "]\n  out y = concat(cls, x", third ? ", z" : "", ")\n  out w = concat(x, cls",
                            third ? ", one" : "", ")\n");
      c.bindings = {{"B", 3}, {"T", 5}};
      c.inputs["x"] = random_tensor({{3, 5, width}, Encoding::F32}, 1);
      c.inputs["z"] = random_tensor({{3, 2, width}, Encoding::F32}, 2);
      c.weights["cls"] = random_tensor({{4, width}, Encoding::F32}, 3);
      c.weights["one"] = random_tensor({{1, 1, width}, Encoding::F32}, 4);
      run_op_case(c);

      OpCase channels;
      channels.graph_text =
          concat("graph g\n  in x f32 [2, H, W, ", width, "]\n  in z f32 [2, H, W, 4]\n  out y = concat(x, z",
                 third ? ", x" : "", ") axis=channels\n");
      channels.bindings = {{"H", 3}, {"W", 5}};
      channels.inputs["x"] = random_tensor({{2, 3, 5, width}, Encoding::F32}, 5);
      channels.inputs["z"] = random_tensor({{2, 3, 5, 4}, Encoding::F32}, 6);
      run_op_case(channels);
    }
}

TEST_CASE("slice: first, middle and last rows and channels") {
  for (const uint64_t width : {3, 8, 33})
    for (const char *fields : {"begin=1", "count=2", "begin=1 count=1", "last=1", "last=3", ""})
      for (const char *axis : {"", " axis=channels"}) {
        OpCase c;
        c.graph_text =
            concat("graph g\n  in x f32 [B, T, ", width, "]\n  out y = slice(x)", axis, " ", fields, "\n");
        c.bindings = {{"B", 3}, {"T", 5}};
        c.inputs["x"] = random_tensor({{3, 5, width}, Encoding::F32}, 1);
        run_op_case(c);
      }
}

TEST_CASE("repeat: a table for every batch") {
  for (const uint64_t width : {1, 5, 8}) {
    OpCase c;
    c.graph_text = "graph g\n  in x f32 [B, 2]\n  out y = repeat(table, x)\n";
    c.bindings = {{"B", 3}};
    c.inputs["x"] = random_tensor({{3, 2}, Encoding::F32}, 1);
    c.weights["table"] = random_tensor({{7, width}, Encoding::F32}, 2);
    run_op_case(c);
  }
}
