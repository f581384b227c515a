#include "support/op_case.h"

#include <doctest/doctest.h>

using namespace fovea;

TEST_CASE("pool_rows: every function, masked and not, one row hidden entirely") {
  for (const char *f : {"mean", "max", "first", "last", "sqrt_mean"})
    for (const bool masked : {false, true})
      for (const uint64_t width : {1, 3, 33, 384})
        for (const uint64_t n_rows : {1, 2, 31, 200}) {
          OpCase c;
          c.graph_text =
              concat("graph g\n  in x f32 [3, T, ", width, "]\n  in mask i32 [3, T]\n  out y = pool_rows(x",
                     masked ? ", mask" : "", ") f=", f, "\n");
          c.bindings = {{"T", n_rows}};
          c.inputs["x"] = random_tensor({{3, n_rows, width}, Encoding::F32}, uint32_t(width + n_rows));
          c.inputs["mask"] = random_tensor({{3, n_rows}, Encoding::I32}, uint32_t(n_rows), 1, 2);
          std::fill_n(c.inputs["mask"].i.begin(), n_rows, 0);
          c.inputs["mask"].i.back() = -7; // any number but 0 shows a row
          c.terms = n_rows;
          run_op_case(c);
        }
}
