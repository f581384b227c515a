#include "support/op_case.h"

#include <doctest/doctest.h>

using namespace fovea;

namespace {

// Words with all 32 bits random, so that alpha is seen not to matter.
HostTensor random_image(uint64_t height, uint64_t width, uint32_t seed) {
  HostTensor image({{height, width}, Encoding::I32});
  std::mt19937 generator(seed);
  for (int32_t &word : image.i) word = int32_t(generator());
  return image;
}

void check(uint64_t height, uint64_t width, const std::string &fields,
           const std::function<void(DeviceCaps &)> &adjust = {}) {
  INFO(height, " x ", width, " ", fields);
  OpCase c;
  c.graph_text = concat("graph g\n  in image i32 [H, W]\n  out y = resize_image(image) ", fields, "\n");
  c.bindings = {{"H", height}, {"W", width}};
  c.inputs["image"] = random_image(height, width, uint32_t(height * 131 + width));
  c.adjust_caps = adjust;
  // A weight in the last place moves a sum that lies on an edge to the next byte.
  c.terms = 1;
  c.tolerance_factor = 1.5 / test::tolerance(Encoding::F32, 1, 200);
  run_op_case(c);
}

} // namespace

TEST_CASE("resize_image: every filter, larger and smaller, both axes apart") {
  for (const char *filter : {"bilinear", "nearest", "box", "hamming", "bicubic", "lanczos"})
    for (const auto &[h, w, to_h, to_w] : {std::tuple{1, 1, 5, 3},
                                           {33, 31, 7, 127},
                                           {7, 127, 33, 31},
                                           {64, 3, 64, 11},
                                           {9, 40, 3, 40},
                                           {127, 129, 1, 1},
                                           {12, 12, 12, 12}})
      check(uint64_t(h), uint64_t(w), concat("height=", to_h, " width=", to_w, " filter=", filter));
}

TEST_CASE("resize_image: without antialias") {
  for (const char *filter : {"bilinear", "nearest", "bicubic"})
    for (const auto &[h, w, to_h, to_w] :
         {std::tuple{1, 1, 5, 3}, {33, 31, 7, 127}, {7, 127, 33, 31}, {127, 129, 1, 1}, {2, 2, 9, 1}})
      check(uint64_t(h), uint64_t(w),
            concat("height=", to_h, " width=", to_w, " filter=", filter, " antialias=false"));
}

TEST_CASE("resize_image: rules of size, crops inside and outside") {
  for (const auto &[h, w] : {std::pair{31, 50}, {50, 31}, {24, 24}, {3, 90}})
    for (const char *rule : {"", "shortest=24", "shortest=24 longest=32", "max_height=20 max_width=30",
                             "shortest=30 longest=60 multiple=2", "shortest=24 longest=32 filter=bicubic"})
      for (const char *crop : {"", " crop_height=17 crop_width=17", " crop_height=40 crop_width=9",
                               " crop_height=61 crop_width=64"})
        check(uint64_t(h), uint64_t(w), concat(rule, crop));
}

TEST_CASE("resize_image: very wide, very tall, more than one binding") {
  check(1, 20000, "shortest=16 crop_height=16 crop_width=16 filter=bicubic");
  check(20000, 2, "shortest=16 crop_height=16 crop_width=16");
  check(3, 20000, "height=32 width=32 filter=bicubic");
  check(20000, 3, "height=32 width=32 filter=lanczos");
  for (const char *fields : {"height=12 width=16", "height=64 width=24 crop_height=9 crop_width=24",
                             "height=12 width=13", "height=12 width=95"})
    check(250, 101, fields, [](DeviceCaps &caps) { caps.max_storage_buffer_range = 20480; });
}
