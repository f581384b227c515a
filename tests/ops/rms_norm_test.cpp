#include "support/op_case.h"

#include <doctest/doctest.h>

using namespace fovea;

namespace {

OpCase rms_norm_case(uint64_t rows, uint64_t heads, uint64_t length, const char *fields, bool residual) {
  const Shape shape{2, rows, heads * length};
  OpCase c;
  c.graph_text = concat("graph g\n  in x f32 [2, T, ", heads * length, "]\n  in r f32 [2, T, ",
                        heads * length, "]\n  out y = rms_norm(x, g", residual ? ", r)" : ")",
                        heads > 1 ? concat(" heads=", heads) : "", fields, "\n");
  c.bindings = {{"T", rows}};
  c.inputs["x"] = random_tensor({shape, Encoding::F32}, uint32_t(length * 31 + rows), 3);
  c.inputs["r"] = random_tensor({shape, Encoding::F32}, uint32_t(length * 7 + rows), 2);
  c.weights["g"] = random_tensor({{length}, Encoding::F32}, 1);
  c.terms = length;
  return c;
}

} // namespace

TEST_CASE("rms_norm: every row, the last of each batch, with a residual") {
  for (const uint64_t width : {1, 3, 31, 33, 127, 384, 2048})
    for (const uint64_t rows : {1, 2, 7}) {
      run_op_case(rms_norm_case(rows, 1, width, "", false));
      run_op_case(rms_norm_case(rows, 1, width, " eps=1e-5 rows=last", false));
      run_op_case(rms_norm_case(rows, 1, width, "", true));
    }
}

TEST_CASE("rms_norm: each head by itself") {
  for (const uint64_t heads : {2, 5})
    for (const uint64_t length : {1, 16, 24, 33, 128}) {
      run_op_case(rms_norm_case(3, heads, length, "", false));
      run_op_case(rms_norm_case(3, heads, length, " rows=last", false));
      run_op_case(rms_norm_case(3, heads, length, " eps=0.5", true));
    }
}

TEST_CASE("rms_norm: rows of zeros, and rows as large as f32 allows its squares to be") {
  for (const float value : {0.0f, 1e-12f, 1e16f}) {
    OpCase c = rms_norm_case(2, 1, 64, "", false);
    for (size_t i = 0; i < 64; ++i) c.inputs["x"].f[i] = i % 3 == 0 ? -value : value;
    run_op_case(c);
  }
}
