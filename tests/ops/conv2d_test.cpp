#include "support/op_case.h"

#include <doctest/doctest.h>

using namespace fovea;

namespace {

struct Conv {
  uint64_t batch = 1, height = 1, width = 1, channels = 1, n = 1;
  uint64_t kernel_h = 1, kernel_w = 1, groups = 1;
  std::string fields;
  Encoding encoding = Encoding::F32;
  bool bias = true;
  uint64_t extra_k = 0;
};

OpCase conv_case(const Conv &v) {
  OpCase c;
  c.graph_text =
      concat("graph g\n  in x f32 [B, H, W, ", v.channels, "]\n  out y = conv2d(x, w",
             v.bias ? ", w.bias" : "", ")", v.kernel_h != 1 ? concat(" kernel_h=", v.kernel_h) : "",
             v.kernel_w != 1 ? concat(" kernel_w=", v.kernel_w) : "", v.fields.empty() ? "" : " " + v.fields,
             v.groups != 1 ? concat(" groups=", v.groups) : "", "\n");
  c.bindings = {{"B", v.batch}, {"H", v.height}, {"W", v.width}};
  const uint64_t k = v.kernel_h * v.kernel_w * v.channels / v.groups;
  const auto seed = uint32_t(v.height * 7919 + v.channels * 31 + v.n);
  c.inputs["x"] = random_tensor({{v.batch, v.height, v.width, v.channels}, Encoding::F32}, seed);
  c.weights["w"] = random_tensor({{v.n, k + v.extra_k}, v.encoding}, seed + 1, 0.5f);
  if (v.bias) c.weights["w.bias"] = random_tensor({{v.n}, Encoding::F32}, seed + 2);
  c.terms = k;
  return c;
}

constexpr Encoding kWeightEncodings[] = {Encoding::F32, Encoding::F16, Encoding::Q8, Encoding::Q4};

} // namespace

TEST_CASE("conv2d: odd sizes, strides, dilations and paddings, every weight encoding") {
  std::set<std::string> ran;
  for (const Encoding encoding : kWeightEncodings)
    for (const auto &[kernel_h, kernel_w, fields] : {std::tuple{1, 1, ""},
                                                     {1, 1, "stride=2"},
                                                     {3, 3, "padding=1"},
                                                     {3, 3, "stride=2 padding=1"},
                                                     {3, 3, "dilation=2 padding=2"},
                                                     {3, 2, "pad_top=1 pad_right=2"},
                                                     {1, 5, "padding=2 stride_h=2"},
                                                     {7, 7, "stride=2 padding=3"},
                                                     {3, 3, "stride=2 same=true"},
                                                     {4, 4, "stride=4"}})
      for (const uint64_t channels : {1, 3, 4, 12, 32, 40})
        for (const uint64_t n : {1, 5, 33}) {
          Conv v{2, 9, 11, channels, n, uint64_t(kernel_h), uint64_t(kernel_w), 1, fields, encoding};
          const uint64_t k = v.kernel_h * v.kernel_w * channels;
          if (is_quantized(encoding)) v.extra_k = (32 - k % 32) % 32;
          const auto kernels = run_op_case(conv_case(v));
          ran.insert(kernels.begin(), kernels.end());
        }
  for (const char *name : {"conv2d_base_f32", "conv2d_base_f16", "conv2d_base_q8", "conv2d_base_q4"})
    CHECK_MESSAGE(ran.count(name) == 1, name, " did not run");
}

TEST_CASE("conv2d: groups") {
  for (const Encoding encoding : kWeightEncodings)
    for (const uint64_t groups : {2, 3, 8})
      for (const uint64_t each : {1, 4, 6, 32}) {
        Conv v{1, 6, 7, groups * each, groups * 5, 3, 3, groups, "padding=1", encoding};
        const uint64_t k = 9 * each;
        if (is_quantized(encoding)) v.extra_k = (32 - k % 32) % 32;
        run_op_case(conv_case(v));
        v.n = groups * 8;
        run_op_case(conv_case(v));
      }
}

TEST_CASE("conv2d: bias, residual and activation, in either order") {
  // A kernel is compiled for each of them, so the encodings take turns.
  size_t turn = 0;
  for (const char *tail :
       {"", " act=relu", " act=relu act_last=true", " act=hardswish", " act=relu6 act_last=true"})
    for (const uint64_t kernel : {1, 3}) {
      OpCase c = conv_case({2, 5, 6, 32, 20, kernel, kernel, 1, concat("padding=", kernel / 2, tail),
                            kWeightEncodings[turn++ % std::size(kWeightEncodings)]});
      c.graph_text.insert(c.graph_text.find("  out"), "  in r f32 [B, H, W, 20]\n");
      c.graph_text.replace(c.graph_text.find("w.bias)"), 7, "w.bias, r)");
      c.inputs["r"] = random_tensor({{2, 5, 6, 20}, Encoding::F32}, 99, 5);
      run_op_case(c);
    }
}

TEST_CASE("conv2d: patches of an image, padded rows of weights") {
  for (const Encoding encoding : kWeightEncodings) {
    Conv v{2, 32, 48, 3, 24, 16, 16, 1, "stride=16", encoding};
    const auto ran = run_op_case(conv_case(v));
    if (test::test_device()->caps().fixed_subgroups())
      CHECK_MESSAGE(ran.count(concat("conv2d_subgroup_", to_string(encoding))),
                    "rows of 48 are read in quads");
    v.kernel_h = v.kernel_w = 14; // 588 is no multiple of 32
    v.fields = "stride=14";
    v.extra_k = 20;
    run_op_case(conv_case(v));
  }
}

TEST_CASE("conv2d: weights larger than a binding are split by rows") {
  for (const Encoding encoding : kWeightEncodings) {
    OpCase c = conv_case({1, 5, 5, 32, 100, 3, 3, 1, "padding=1 act=relu", encoding});
    c.adjust_caps = [](DeviceCaps &caps) { caps.max_storage_buffer_range = 16384; };
    run_op_case(c);
  }
}

TEST_CASE("conv2d: a real layer's shapes") {
  run_op_case(conv_case({1, 14, 14, 256, 256, 3, 3, 1, "padding=1 act=relu", Encoding::F16}));
  run_op_case(conv_case({1, 56, 56, 64, 128, 1, 1, 1, "stride=2", Encoding::F32}));
  run_op_case(conv_case({1, 64, 64, 4, 32, 7, 7, 1, "stride=2 padding=3", Encoding::F16, true, 4}));
}

TEST_CASE("channels_first: few and many channels") {
  for (const uint64_t channels : {1, 5, 33, 100}) {
    OpCase c;
    c.graph_text = concat("graph g\n  in x f32 [2, 5, 7, ", channels, "]\n  out y = channels_first(x)\n");
    c.inputs["x"] = random_tensor({{2, 5, 7, channels}, Encoding::F32}, uint32_t(channels));
    run_op_case(c);
  }
}

TEST_CASE("channels_last: few and many channels, padded ones") {
  for (const uint64_t channels : {1, 3, 8, 9, 40, 100})
    for (const uint64_t padded : {0, 4, 33})
      for (const uint64_t width : {1, 7, 33}) {
        OpCase c;
        c.graph_text = concat("graph g\n  in x f32 [B, ", channels, ", H, W]\n  out y = channels_last(x)",
                              padded ? concat(" channels=", padded) : "", "\n");
        c.bindings = {{"B", 2}, {"H", 5}, {"W", width}};
        c.inputs["x"] = random_tensor({{2, channels, 5, width}, Encoding::F32}, uint32_t(width));
        run_op_case(c);
      }
}
