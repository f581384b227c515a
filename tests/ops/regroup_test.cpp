#include "support/op_case.h"

#include <doctest/doctest.h>

using namespace fovea;

TEST_CASE("regroup: as an output, and as another name inside the graph") {
  for (const uint64_t width : {1, 3, 64})
    for (const auto &[batches, rows, groups] :
         {std::tuple{6, 1, 2}, {4, 3, 4}, {1, 5, 1}, {8, 1, 1}, {2, 6, 3}}) {
      OpCase c;
      c.graph_text =
          concat("graph g\n  in x f32 [", batches, ", ", rows, ", ", width, "]\n  in like i32 [", groups,
                 ", 7]\n  out y = regroup(x, like)\n  r = regroup(x, like)\n  out z = unary(r) f=relu\n");
      c.inputs["x"] =
          random_tensor({{uint64_t(batches), uint64_t(rows), width}, Encoding::F32}, uint32_t(width));
      c.inputs["like"] = HostTensor({{uint64_t(groups), 7}, Encoding::I32});
      run_op_case(c);
    }
}
