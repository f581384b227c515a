#include "support/op_case.h"

#include <doctest/doctest.h>

using namespace fovea;

namespace {

OpCase group_norm(Shape shape, uint32_t groups, bool affine, const char *fields = "") {
  const uint64_t c = shape.row();
  OpCase out;
  std::string dims;
  for (const uint64_t d : shape.dims()) dims += concat(dims.empty() ? "" : ", ", d);
  out.graph_text = concat("graph g\n  in x f32 [", dims, "]\n  out y = group_norm(x",
                          affine ? ", gamma, beta" : "", ") groups=", groups, fields, "\n");
  out.inputs["x"] = random_tensor({shape, Encoding::F32}, uint32_t(c + groups), 2);
  for (float &v : out.inputs["x"].f) v += 3; // a mean that must be taken away exactly
  out.weights["gamma"] = random_tensor({{c}, Encoding::F32}, 2);
  out.weights["beta"] = random_tensor({{c}, Encoding::F32}, 3);
  out.terms = 64; // sums are of 128 rows, then of chunks
  return out;
}

} // namespace

TEST_CASE("group_norm: groups of one, some and all channels; every rank") {
  for (const uint64_t rows : {1, 3, 127, 129, 700})
    for (const auto &[channels, groups] :
         {std::pair<uint64_t, uint32_t>{1, 1}, {6, 3}, {33, 33}, {40, 1}, {64, 64}}) {
      if (rows == 1 && groups == channels) continue; // nothing but rounding is left
      run_op_case(group_norm({2, rows, channels}, groups, true));
      run_op_case(group_norm({1, rows, channels}, groups, false, " eps=0.1 act=gelu"));
    }
  run_op_case(group_norm({2, 5, 7, 12}, 4, true, " act=silu"));
  run_op_case(group_norm({3, 12}, 4, true));
}

TEST_CASE("group_norm: a recording brought to mean 0 and variance 1") {
  OpCase c = group_norm({1, 40'001, 1}, 1, false, " eps=1e-07");
  for (float &v : c.inputs["x"].f) v *= 0.01f;
  run_op_case(c);
}
