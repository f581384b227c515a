#include "support/op_case.h"

#include <doctest/doctest.h>

using namespace fovea;

namespace {

// Two batches of three tokens, some outside the table.
OpCase embed_case(Encoding encoding, uint64_t n_rows, uint64_t width, bool positions, uint32_t pos) {
  OpCase c;
  c.graph_text = concat("graph g\n  in tokens i32 [2, T]\n  step pos\n  out y = embed(tokens, table",
                        positions ? ", places) at=pos\n" : ")\n");
  c.bindings = {{"T", 5}};
  c.steps = {{"pos", pos}};
  c.inputs["tokens"] = random_tensor({{2, 5}, Encoding::I32}, uint32_t(n_rows + width), 1, int32_t(n_rows));
  c.inputs["tokens"].i[1] = -1;
  c.inputs["tokens"].i[3] = INT32_MAX;
  c.inputs["tokens"].i[7] = int32_t(n_rows) - 1;
  c.weights["table"] = random_tensor({{n_rows, width}, encoding}, 1);
  if (positions) c.weights["places"] = random_tensor({{9, width}, Encoding::F32}, 2);
  return c;
}

} // namespace

TEST_CASE("embed: every encoding, with and without positions") {
  for (const Encoding e : {Encoding::F32, Encoding::F16, Encoding::Q8, Encoding::Q4})
    for (const uint64_t width : {1, 2, 3, 31, 32, 33, 96, 384})
      if (!is_quantized(e) || width % 32 == 0)
        for (const uint64_t n_rows : {1, 50}) {
          run_op_case(embed_case(e, n_rows, width, false, 0));
          for (const uint32_t pos : {0u, 3u, 8u, 0xFFFFFFFFu})
            run_op_case(embed_case(e, n_rows, width, true, pos));
        }
}

TEST_CASE("embed: rows times a factor") {
  for (const Encoding e : {Encoding::F32, Encoding::F16, Encoding::Q8, Encoding::Q4}) {
    OpCase c = embed_case(e, 50, 96, true, 1);
    c.graph_text.replace(c.graph_text.find("at=pos"), 6, "at=pos scale=9.75");
    c.terms = 2;
    run_op_case(c);
  }
}

TEST_CASE("embed: a table larger than the device can bind") {
  for (const Encoding e : {Encoding::F32, Encoding::F16, Encoding::Q8, Encoding::Q4})
    for (const uint64_t width : {31, 96})
      if (!is_quantized(e) || width % 32 == 0)
        for (const bool positions : {false, true}) {
          OpCase c = embed_case(e, 257, width, positions, 2);
          c.adjust_caps = [](DeviceCaps &caps) {
            caps.storage_offset_alignment = 256;
            caps.max_storage_buffer_range = 4096;
          };
          CHECK(run_op_case(c).count("embed_positions") == positions);
        }
}

TEST_CASE("embed: rows that do not fit at all are refused") {
  OpCase c = embed_case(Encoding::F32, 10, 384, false, 0);
  c.adjust_caps = [](DeviceCaps &caps) {
    caps.storage_offset_alignment = 256;
    caps.max_storage_buffer_range = 2048;
  };
  CHECK_THROWS_WITH_AS(
      run_op_case(c),
      doctest::Contains("graph 'g', embed = y: two rows of table [10, 384] exceed what the device can bind"),
      Error);
}
