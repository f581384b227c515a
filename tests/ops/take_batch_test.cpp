#include "support/op_case.h"

#include <doctest/doctest.h>

using namespace fovea;

TEST_CASE("take_batch: any order, repeated and clamped") {
  for (const Encoding e : {Encoding::F32, Encoding::F16})
    for (const uint64_t width : {1, 3, 64}) {
      OpCase c;
      c.graph_text =
          concat("graph g\n  in x ", e, " [3, 7, ", width, "]\n  in o i32 [N]\n  out y = take_batch(x, o)\n");
      c.inputs["x"] = random_tensor({{3, 7, width}, e}, uint32_t(width));
      for (const std::vector<int32_t> &order :
           {std::vector<int32_t>{2}, {0, 1, 2}, {2, 2, 0, 1, 1}, {-5, 3, 1000000}, {INT32_MIN, INT32_MAX}}) {
        c.bindings = {{"N", order.size()}};
        c.inputs["o"] = HostTensor({{order.size()}, Encoding::I32});
        c.inputs["o"].i = order;
        run_op_case(c);
      }
    }
}

TEST_CASE("take_batch: a state in place, whole or its first rows") {
  for (const Encoding e : {Encoding::F32, Encoding::F16})
    for (const int32_t n : {1, 5, 32})
      for (const char *field : {"", " rows=n"})
        for (const uint32_t rows : {0u, 2u, 6u, 0xFFFFFFFFu}) {
          OpCase c;
          c.graph_text = concat("graph g\n  in x f32 [B, 6, 34]\n  in o i32 [B]\n  step n\n  state s ", e,
                                " [B, 6, 34]\n  copy(x) -> s\n  out r = take_batch(s, o)", field,
                                "\n  take_batch(s, o)", field, " -> s\n  out y = copy(s)\n");
          c.bindings = {{"B", uint64_t(n)}};
          c.steps = {{"n", rows}};
          c.inputs["x"] = random_tensor({{uint64_t(n), 6, 34}, Encoding::F32}, 7);
          c.inputs["o"] = random_tensor({{uint64_t(n)}, Encoding::I32}, rows + uint32_t(n), 1, n + 1);
          CHECK(run_op_case(c).count("reorder") == 1);
        }
}
