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

TEST_CASE("take_batch: a state reordered through a temporary") {
  for (const Encoding e : {Encoding::F32, Encoding::F16}) {
    OpCase c;
    c.graph_text =
        concat("graph g\n  in x f32 [3, 5, 4]\n  in o i32 [3]\n  state s ", e,
               " [3, 5, 4]\n  copy(x) -> s\n  t = take_batch(s, o)\n  copy(t) -> s\n  out y = copy(s)\n");
    c.inputs["x"] = random_tensor({{3, 5, 4}, Encoding::F32}, 7);
    c.inputs["o"] = HostTensor({{3}, Encoding::I32});
    c.inputs["o"].i = {1, 1, 0};
    run_op_case(c);
  }
}
