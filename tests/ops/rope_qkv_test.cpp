#include "exec/device_weights.h"
#include "support/op_case.h"
#include "support/rope_frequencies.h"

#include <cmath>
#include <doctest/doctest.h>

using namespace fovea;

namespace {

constexpr uint64_t kBatch = 2, kCapacity = 24;

struct Taken {
  uint64_t rows = 1, heads = 1, kv_heads = 1, size = 16, frequencies = 8;
  const char *fields = "";
  uint32_t at = 0;
  const char *state = "f16";
  bool values = true;
};

OpCase rope_qkv_case(const Taken &r) {
  const uint64_t width = (r.heads + (r.values ? 2 : 1) * r.kv_heads) * r.size, kv = r.kv_heads * r.size;
  OpCase c;
  const auto state = [&](const char *name) {
    return concat("  state ", name, " ", r.state, " [", kBatch, ", ", kCapacity, ", ", kv, "]\n");
  };
  c.graph_text = concat("graph g\n  in x f32 [", kBatch, ", T, ", width, "]\n  step pos\n", state("k"),
                        r.values ? state("v") : "", "  out q = rope_qkv(x, f, k", r.values ? ", v" : "",
                        ") heads=", r.heads, " kv_heads=", r.kv_heads, " at=pos", r.fields, "\n");
  c.bindings = {{"T", r.rows}};
  c.steps = {{"pos", r.at}};
  c.inputs["x"] = random_tensor({{kBatch, r.rows, width}, Encoding::F32}, uint32_t(width + r.rows), 2);
  c.weights["f"] = test::rope_frequencies(r.frequencies);
  c.terms = 4;
  return c;
}

Session session_of(const OpCase &c) {
  const auto model = Model::open(test::write_model({c.graph_text}, c.weights));
  return {test::test_device(), model, DeviceWeights::load(test::test_device(), model)};
}

} // namespace

TEST_CASE("rope_qkv: head sizes, numbers of heads, both kinds of pairs") {
  for (const char *fields : {"", " pairs=neighbours"})
    for (const char *state : {"f32", "f16"})
      for (const uint64_t size : {2, 8, 18, 24, 64, 128})
        for (const auto &[heads, kv_heads] : {std::pair{1, 1}, {3, 1}, {9, 3}, {5, 5}})
          run_op_case(
              rope_qkv_case({3, uint64_t(heads), uint64_t(kv_heads), size, size / 2, fields, 5, state}));
}

TEST_CASE("rope_qkv: part of a head, a factor, one frequency") {
  for (const char *fields : {"", " pairs=neighbours", " scale=1.25"})
    for (const uint64_t frequencies : {1, 3, 4, 8, 12, 15})
      run_op_case(rope_qkv_case({7, 2, 1, 32, frequencies, fields, 11}));
}

TEST_CASE("rope_qkv: any row of the states, up to the last") {
  for (const char *state : {"f32", "f16", "q8"})
    for (const uint32_t at : {0u, 1u, 7u, 21u})
      for (const bool values : {true, false})
        run_op_case(rope_qkv_case({3, 4, 2, 32, 16, "", at, state, values}));
  run_op_case(rope_qkv_case({kCapacity, 2, 1, 64, 32, "", 0, "f16"}));
  run_op_case(rope_qkv_case({1, 2, 1, 64, 32, " pairs=neighbours", kCapacity - 1, "q8"}));
}

TEST_CASE("rope_qkv: every kernel, one dispatch where the states are not q8") {
  const OpCase plain = rope_qkv_case({1, 9, 3, 64, 32});
  CHECK(run_op_case(plain) == std::set<std::string>{"rope_qkv", "rope_qkv_quads"});
  CHECK(run_op_case(rope_qkv_case({1, 9, 3, 6, 3})) == std::set<std::string>{"rope_qkv"});
  CHECK(run_op_case(rope_qkv_case({1, 9, 3, 64, 32, "", 0, "q8"})).contains("quantize_rows"));

  Session session = session_of(plain);
  CHECK(session.program("g", plain.bindings).plan().dispatches.size() == 1);
}

TEST_CASE("rope_qkv: states that no binding covers together take a dispatch each") {
  OpCase c = rope_qkv_case({3, 4, 2, 32, 16, "", 5, "f16"});
  // Each has 6,144 bytes.
  c.adjust_caps = [](DeviceCaps &caps) { caps.max_storage_buffer_range = 8192; };
  run_op_case(c);
}

TEST_CASE("rope_qkv: rows past the end of the states are refused") {
  const OpCase c = rope_qkv_case({3, 4, 2, 32, 16});
  Session session = session_of(c);
  Program &program = session.program("g", c.bindings);
  CHECK_NOTHROW(program.set_step("pos", kCapacity - 3));
  CHECK_THROWS_WITH_AS(program.set_step("pos", kCapacity - 2), doctest::Contains("past the end"), Error);
}
