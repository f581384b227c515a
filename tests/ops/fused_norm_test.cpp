// A norm whose only reader is a product with few rows is that product's own first step (graph/lowering.h:
// defer()).
#include "support/op_case.h"

#include <algorithm>
#include <doctest/doctest.h>

using namespace fovea;

namespace {

struct Normed {
  const char *norm = "rms_norm"; // or layer_norm
  uint64_t batches = 1, rows = 1, n = 64, k = 64;
  Encoding encoding = Encoding::F32;
  std::string rest = "  out y = linear(h, w)\n"; // after h = norm(x, …)
  const char *fields = "";
};

OpCase normed_case(const Normed &d) {
  const bool layer = d.norm == std::string("layer_norm");
  OpCase c;
  c.graph_text = concat("graph g\n  in x f32 [B, T, ", d.k, "]\n  h = ", d.norm, "(x, g", layer ? ", b" : "",
                        ")", d.fields, "\n", d.rest);
  c.bindings = {{"B", d.batches}, {"T", d.rows}};
  const auto seed = uint32_t(d.batches * 131 + d.rows * 7919 + d.n * 31 + d.k);
  c.inputs["x"] = random_tensor({{d.batches, d.rows, d.k}, Encoding::F32}, seed, 3.0f);
  for (float &v : c.inputs["x"].f) v += 1; // a mean to take off
  c.weights["g"] = random_tensor({{d.k}, Encoding::F32}, seed + 1);
  c.weights["b"] = random_tensor({{d.k}, Encoding::F32}, seed + 2);
  c.weights["w"] = random_tensor({{d.n, d.k}, d.encoding}, seed + 3, 0.5f);
  c.terms = d.k;
  c.tolerance_factor = 4; // two roundings in a row
  return c;
}

bool streams() {
  const DeviceCaps &device = test::test_device()->caps();
  return device.fixed_subgroups() && device.subgroup_shuffle && device.subgroup_size <= 8 &&
         device.fast_texels();
}

/// Whether the plan has the norm's own kernel.
bool is_apart(const OpCase &c, const char *norm) {
  const auto dispatches = test::plan_op_case(c).dispatches;
  return std::any_of(dispatches.begin(), dispatches.end(),
                     [&](const Dispatch &d) { return std::string(to_string(d.kernel)).starts_with(norm); });
}

} // namespace

TEST_CASE("fused norm: every weight encoding, groups of rows, numbers of rows") {
  for (const char *norm : {"rms_norm", "layer_norm"})
    for (const Encoding encoding : {Encoding::F32, Encoding::F16, Encoding::Q8, Encoding::Q4})
      for (const uint64_t rows : {1, 3, 8})
        for (const auto &[n, k] : {std::pair{40, 96}, {16, 576}, {1000, 160}, {72, 384}}) {
          OpCase c = normed_case({norm, 1, rows, uint64_t(n), uint64_t(k), encoding});
          INFO(c.graph_text);
          run_op_case(c);
          if (streams() && rows < 8)
            CHECK_FALSE(is_apart(c, norm)); // eight rows of x are too much for some K
          c.adjust_caps = [](DeviceCaps &caps) { caps.fuse_norms = false; };
          CHECK(is_apart(c, norm));
        }
}

TEST_CASE("fused norm: eps, bias, residual, gated, the last row of each batch") {
  for (const char *norm : {"rms_norm", "layer_norm"}) {
    run_op_case(normed_case(
        {norm, 1, 2, 64, 64, Encoding::F16, "  out y = linear(h, w, b, x) act=gelu\n", " eps=0.5"}));
    run_op_case(
        normed_case({norm, 1, 1, 64, 64, Encoding::Q8, "  out y = linear(h, w) act=silu gated=true\n"}));
    const OpCase last =
        normed_case({norm, 2, 5, 64, 64, Encoding::F16, "  out y = linear(h, w)\n", " rows=last"});
    run_op_case(last);
    if (streams()) CHECK_FALSE(is_apart(last, norm));
  }
}

TEST_CASE("fused norm: computed once where another op reads it too, or nobody could normalize") {
  const std::string both = "  out y = linear(h, w)\n  out z = binary(h, x) f=add\n";
  for (const std::string &rest :
       {both, std::string("  z = binary(h, x) f=add\n  y0 = linear(h, w)\n  out y = binary(y0, z) f=mul\n"),
        std::string("  out y = linear(x, w, _, h)\n"), std::string("  out y = linear(h, w, _, h)\n")}) {
    const OpCase c = normed_case({"rms_norm", 1, 2, 64, 64, Encoding::F32, rest});
    INFO(rest);
    run_op_case(c);
    CHECK(is_apart(c, "rms_norm"));
  }
  // Many rows, where one product after another would normalize them all.
  CHECK(is_apart(normed_case({"rms_norm", 1, 40, 64, 64, Encoding::F32}), "rms_norm"));
  // What a caller asks for is there.
  OpCase asked = normed_case({"rms_norm", 1, 1, 64, 64, Encoding::F32});
  asked.graph_text.replace(asked.graph_text.find("  h ="), 5, "  out h =");
  run_op_case(asked);
  CHECK(is_apart(asked, "rms_norm"));
}

TEST_CASE("fused norm: of a state that is overwritten before the product") {
  OpCase c = normed_case({"rms_norm", 1, 1, 64, 64, Encoding::F32});
  c.graph_text =
      "graph g\n  in x f32 [B, T, 64]\n  state s f32 [B, T, 64]\n  copy(x) -> s\n  h = rms_norm(s, g)\n"
      "  d = binary(x, x) f=add\n  copy(d) -> s\n  out y = linear(h, w)\n";
  run_op_case(c);
}
