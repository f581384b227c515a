#include "support/op_case.h"

#include <doctest/doctest.h>

using namespace fovea;

namespace {

struct Dense {
  uint64_t rows = 1, n = 1, k = 1;
  Encoding encoding = Encoding::F32;
  bool bias = false, residual = false;
  const char *act = "none";
};

OpCase dense_case(const Dense &d) {
  OpCase c;
  c.graph_text =
      concat("graph g\n  in x f32 [T, ", d.k, "]\n", d.residual ? concat("  in r f32 [T, ", d.n, "]\n") : "",
             "  out y = linear(x, w",
             d.bias       ? ", b"
             : d.residual ? ", _"
                          : "",
             d.residual ? ", r" : "", ")", d.act == std::string("none") ? "" : concat(" act=", d.act), "\n");
  c.bindings = {{"T", d.rows}};
  const auto seed = uint32_t(d.rows * 7919 + d.n * 31 + d.k);
  c.inputs["x"] = random_tensor({{d.rows, d.k}, Encoding::F32}, seed);
  if (d.residual) c.inputs["r"] = random_tensor({{d.rows, d.n}, Encoding::F32}, seed + 1);
  c.weights["w"] = random_tensor({{d.n, d.k}, d.encoding}, seed + 2, 0.5f);
  if (d.bias) c.weights["w.bias"] = random_tensor({{d.n}, Encoding::F32}, seed + 3);
  if (d.bias) c.graph_text.replace(c.graph_text.find(", b"), 3, ", w.bias");
  c.terms = d.k;
  return c;
}

constexpr Encoding kWeightEncodings[] = {Encoding::F32, Encoding::F16, Encoding::Q8, Encoding::Q4};

} // namespace

TEST_CASE("linear: odd shapes, every weight encoding") {
  std::set<std::string> ran;
  for (const Encoding encoding : kWeightEncodings)
    for (const uint64_t rows : {1, 3, 17, 33})
      for (const uint64_t n : {1, 3, 31, 33, 127})
        for (const uint64_t k : {1, 31, 32, 64, 96, 127, 384}) {
          if (is_quantized(encoding) && k % 32 != 0) continue;
          const auto kernels = run_op_case(dense_case({rows, n, k, encoding}));
          ran.insert(kernels.begin(), kernels.end());
        }
  // Each encoding by its baseline kernel, whatever else the device admits.
  for (const char *name : {"linear_base_f32", "linear_base_f16", "linear_base_q8", "linear_base_q4"})
    CHECK_MESSAGE(ran.count(name) == 1, name, " did not run");
}

TEST_CASE("linear: bias, residual and every activation") {
  // A kernel is compiled for each of them, so the encodings take turns at the activations.
  size_t turn = 0;
  for (const char *act : {"none", "gelu", "relu", "silu", "gelu_tanh", "quick_gelu", "tanh", "sigmoid",
                          "relu6", "hardswish", "hardsigmoid"}) {
    for (const uint64_t rows : {1, 19}) {
      const Encoding encoding = kWeightEncodings[turn++ % std::size(kWeightEncodings)];
      OpCase c = dense_case({rows, 40, 64, encoding, true, true, act});
      // exp() may be wrong by 3 + 2|x| units in the last place (Vulkan's precision table).
      c.tolerance_factor = 4;
      run_op_case(c);
    }
    turn += turn % std::size(kWeightEncodings) == 0; // not the same two encodings for every number of rows
  }
  for (const Encoding encoding : kWeightEncodings)
    for (const uint64_t rows : {1, 19})
      for (const bool bias : {true, false}) run_op_case(dense_case({rows, 40, 64, encoding, bias, !bias}));
}

TEST_CASE("linear: texel buffers that hold 65,536 elements, as many devices' do") {
  const DeviceCaps &device = test::test_device()->caps();
  if (!device.fixed_subgroups() || !device.subgroup_shuffle) {
    MESSAGE("skipped: no kernel with texel buffers works on ", device.name);
    return;
  }
  for (const auto &[n, fits] : {std::pair{2048u, true}, std::pair{2056u, false}}) {
    OpCase c = dense_case({20, n, 256, Encoding::F16}); // 1 MiB of weights
    c.adjust_caps = [](DeviceCaps &caps) { caps.max_texel_buffer_elements = 65536; };
    CHECK(run_op_case(c).count("linear_texel_f16") == (fits ? 1u : 0u));
  }
}

TEST_CASE("linear: rows of W as one stream") {
  const DeviceCaps &device = test::test_device()->caps();
  if (!device.fixed_subgroups() || !device.subgroup_shuffle || device.subgroup_size > 8) {
    MESSAGE("skipped: no stream on ", device.name);
    return;
  }
  std::set<std::string> ran;
  // Groups of 1 to 8 rows, more vectors than lanes, parts of a block and of a workgroup.
  const std::pair<uint64_t, uint64_t> shapes[] = {{24, 32},    {40, 96},  {104, 160}, {16, 576},
                                                  {1000, 288}, {8, 1536}, {616, 640}};
  for (const Encoding encoding : kWeightEncodings)
    for (const uint64_t rows : {1, 2, 8})
      for (const auto &[n, k] : shapes) {
        if (rows == 8 && k > 160) continue; // some drivers take long to compile these
        OpCase c = dense_case({rows, n, k, encoding, rows != 2, rows == 2});
        c.adjust_caps = [](DeviceCaps &caps) { caps.driver_id = kLlvmpipeDriverId; }; // whose choice it is
        const auto kernels = run_op_case(c);
        ran.insert(kernels.begin(), kernels.end());
      }
  for (const char *name : {"linear_vector_stream_f32", "linear_vector_stream_f16", "linear_vector_stream_q8",
                           "linear_vector_stream_q4"})
    CHECK_MESSAGE(ran.count(name) == 1, name, " did not run");
}

TEST_CASE("linear: a real layer's shapes") {
  run_op_case(dense_case({50, 384, 384, Encoding::F16, true, true}));
  run_op_case(dense_case({50, 1536, 384, Encoding::Q8, true, false, "gelu"}));
  run_op_case(dense_case({1, 51864, 384, Encoding::F16}));
  run_op_case(dense_case({1, 384, 1536, Encoding::Q4, true, true}));
  run_op_case(dense_case({5, 1000, 384, Encoding::Q8}));
}

namespace {

// n: rows of W, two to an element of the result.
OpCase gated_case(uint64_t rows, uint64_t n, uint64_t k, Encoding encoding, bool bias, const char *act) {
  OpCase c = dense_case({rows, n, k, encoding, bias, false, act});
  c.graph_text.insert(c.graph_text.size() - 1, " gated=true");
  c.tolerance_factor = 4; // exp() in most activations, and a product of two sums
  return c;
}

} // namespace

TEST_CASE("linear: gated, every strategy and odd shapes") {
  size_t turn = 0;
  for (const Encoding encoding : kWeightEncodings)
    for (const uint64_t rows : {1, 3, 17})
      for (const uint64_t n : {2, 6, 34, 128})
        for (const uint64_t k : {31, 64, 96}) {
          if (is_quantized(encoding) && k % 32 != 0) continue;
          const char *acts[] = {"silu", "gelu_tanh", "none"};
          run_op_case(gated_case(rows, n, k, encoding, turn % 2, acts[turn % 3]));
          ++turn;
        }
  run_op_case(gated_case(1, 3072, 576, Encoding::Q8, false, "silu"));
}

TEST_CASE("linear: gated, a matrix larger than a binding") {
  for (const Encoding encoding : kWeightEncodings)
    for (const bool bias : {false, true}) {
      OpCase c = gated_case(2, 500, 64, encoding, bias, "silu");
      c.adjust_caps = [](DeviceCaps &caps) { caps.max_storage_buffer_range = 4096; };
      run_op_case(c);
    }
}

TEST_CASE("linear: gated columns come in pairs, without a residual, and not in halves") {
  OpCase odd = gated_case(1, 3, 4, Encoding::F32, false, "silu");
  CHECK_THROWS_WITH_AS(run_op_case(odd), doctest::Contains("even number of rows"), Error);
  OpCase residual = dense_case({1, 4, 4, Encoding::F32, false, true});
  residual.graph_text.insert(residual.graph_text.size() - 1, " gated=true");
  CHECK_THROWS_WITH_AS(run_op_case(residual), doctest::Contains("no residual"), Error);
  OpCase halves;
  halves.graph_text =
      "graph g\n  in x f32 [1, 4]\n  step pos\n  state s f16 [2, 2]\n  linear(x, w) gated=true -> s[pos]\n";
  halves.inputs["x"] = random_tensor({{1, 4}, Encoding::F32}, 1);
  halves.weights["w"] = random_tensor({{4, 4}, Encoding::F32}, 2);
  halves.steps["pos"] = 0;
  CHECK_THROWS_WITH_AS(run_op_case(halves), doctest::Contains("halves"), Error);
}

TEST_CASE("linear: a matrix larger than a binding is split by rows") {
  for (const Encoding encoding : kWeightEncodings)
    for (const int parts : {0, 1, 2, 3}) {
      OpCase c = dense_case({2, 500, 64, encoding, bool(parts & 1), bool(parts & 2), "relu"});
      c.adjust_caps = [](DeviceCaps &caps) { caps.max_storage_buffer_range = 4096; };
      run_op_case(c);
    }
}

TEST_CASE("linear: rows of a state, f32 and f16, batched") {
  for (const char *encoding : {"f32", "f16"})
    for (const uint64_t batch : {1, 3})
      for (const uint64_t rows : {1, 4}) {
        OpCase c;
        c.graph_text = concat("graph g\n  in x f32 [", batch, ", T, 64]\n  step pos\n  state s ", encoding,
                              " [", batch, ", 10, 34]\n  linear(x, w) -> s[pos]\n");
        c.bindings = {{"T", rows}};
        c.inputs["x"] = random_tensor({{batch, rows, 64}, Encoding::F32}, 5);
        c.weights["w"] = random_tensor({{34, 64}, Encoding::F16}, 6);
        c.steps["pos"] = 6;
        c.terms = 64;
        run_op_case(c);
      }
}

TEST_CASE("conv1d: stride, padding, kernels longer than the input, overlapping windows") {
  struct Case {
    uint64_t rows, channels, n, kernel, stride, padding;
  };
  for (const Case &s :
       {Case{9, 5, 7, 3, 1, 1}, Case{10, 8, 16, 3, 2, 1}, Case{2, 3, 4, 3, 1, 2}, Case{100, 80, 48, 3, 1, 1},
        Case{400, 1, 30, 40, 16, 0}, Case{7, 32, 33, 1, 1, 0}, Case{33, 64, 64, 3, 2, 1}})
    for (const Encoding encoding : {Encoding::F32, Encoding::F16, Encoding::Q8}) {
      const uint64_t k = s.kernel * s.channels;
      if (is_quantized(encoding) && k % 32 != 0) continue;
      OpCase c;
      c.graph_text = concat("graph g\n  in x f32 [", s.rows, ", ", s.channels,
                            "]\n  out y = conv1d(x, w, b) kernel=", s.kernel, " stride=", s.stride,
                            " padding=", s.padding, encoding == Encoding::F16 ? " act=gelu\n" : "\n");
      c.inputs["x"] = random_tensor({{s.rows, s.channels}, Encoding::F32}, 11);
      c.weights["w"] = random_tensor({{s.n, k}, encoding}, 12, 0.3f);
      c.weights["b"] = random_tensor({{s.n}, Encoding::F32}, 13);
      c.terms = k;
      c.tolerance_factor = 4; // exp() in gelu
      run_op_case(c);
    }
}
