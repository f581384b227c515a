// Ops that slide a window over a map, channel by channel.
#include "support/op_case.h"

#include <doctest/doctest.h>

using namespace fovea;

namespace {

constexpr std::tuple<int, int, const char *> kWindows[] = {
    {1, 1, ""},
    {2, 2, "stride=2"},
    {3, 3, "stride=2 padding=1"},
    {3, 3, "padding=1"},
    {3, 5, "dilation=2 padding=2"},
    {3, 2, "pad_top=1 pad_right=1"},
    {3, 3, "stride_h=2 same=true"},
    {5, 7, "stride=3 padding=2"},
};

} // namespace

TEST_CASE("pool2d: largest and mean, with and without padding counted") {
  for (const auto &[kernel_h, kernel_w, fields] : kWindows)
    for (const uint64_t channels : {1, 3, 4, 20, 33})
      for (const char *f : {"", " f=mean", " f=mean count_include_pad=true"}) {
        OpCase c;
        c.graph_text = concat("graph g\n  in x f32 [B, H, W, ", channels, "]\n  out y = pool2d(x)",
                              *f ? f : "", " kernel_h=", kernel_h, " kernel_w=", kernel_w, " ", fields, "\n");
        c.bindings = {{"B", 2}, {"H", 9}, {"W", 13}};
        c.inputs["x"] = random_tensor({{2, 9, 13, channels}, Encoding::F32}, uint32_t(channels), 2);
        c.terms = uint64_t(kernel_h) * uint64_t(kernel_w);
        run_op_case(c);
      }
}

TEST_CASE("depthwise_conv2d: every window, f32 and f16 weights") {
  for (const Encoding encoding : {Encoding::F32, Encoding::F16})
    for (const auto &[kernel_h, kernel_w, fields] : kWindows)
      for (const uint64_t channels : {1, 3, 4, 20, 33}) {
        OpCase c;
        const uint64_t taps = uint64_t(kernel_h) * uint64_t(kernel_w);
        c.graph_text =
            concat("graph g\n  in x f32 [B, H, W, ", channels, "]\n  out y = depthwise_conv2d(x, w",
                   channels % 3 ? ", b" : "", ") kernel_h=", kernel_h, " kernel_w=", kernel_w, " ", fields,
                   channels == 20 ? " act=relu6" : "", "\n");
        c.bindings = {{"B", 2}, {"H", 9}, {"W", 13}};
        c.inputs["x"] = random_tensor({{2, 9, 13, channels}, Encoding::F32}, uint32_t(channels), 2);
        c.weights["w"] = random_tensor({{taps, channels}, encoding}, 5);
        c.weights["b"] = random_tensor({{channels}, Encoding::F32}, 6);
        c.terms = taps;
        run_op_case(c);
      }
}

TEST_CASE("depthwise_conv2d: windows too wide to unroll") {
  for (const auto &[kernel, dilation] : {std::pair{17, 1}, {5, 20}, {16, 3}, {3, 23}})
    for (const uint64_t channels : {3, 8}) {
      OpCase c;
      const int span = (kernel - 1) * dilation + 1;
      c.graph_text =
          concat("graph g\n  in x f32 [1, 9, 30, ", channels,
                 "]\n  out y = depthwise_conv2d(x, w) kernel_w=", kernel, " kernel_h=1 dilation=", dilation,
                 " pad_left=", span / 2, " pad_right=", span / 2, "\n");
      c.inputs["x"] = random_tensor({{1, 9, 30, channels}, Encoding::F32}, uint32_t(channels), 2);
      c.weights["w"] = random_tensor({{uint64_t(kernel), channels}, Encoding::F32}, 5);
      c.terms = uint64_t(kernel);
      run_op_case(c);
    }
}

TEST_CASE("pool_rows: a map's positions") {
  OpCase c;
  c.graph_text = "graph g\n  in x f32 [2, 5, 7, 33]\n  out y = pool_rows(x)\n";
  c.inputs["x"] = random_tensor({{2, 5, 7, 33}, Encoding::F32}, 8);
  c.terms = 35;
  run_op_case(c);
}
