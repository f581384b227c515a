#include "support/op_case.h"
#include "support/rope_frequencies.h"

#include <cmath>
#include <doctest/doctest.h>

using namespace fovea;

namespace {

struct Turned {
  uint64_t rows = 1, heads = 1, size = 16, frequencies = 8;
  const char *fields = "";
  uint32_t at = 0;
  const char *state = nullptr; // encoding of the state that the result goes into
  uint32_t into = 0;
  bool start = false;
};

OpCase rope_case(const Turned &r) {
  const uint64_t width = r.heads * r.size;
  OpCase c;
  const std::string op =
      concat("rope(x, f", r.start ? ", start" : "", ") heads=", r.heads, " at=pos", r.fields);
  c.graph_text = concat("graph g\n  in x f32 [2, T, ", width, "]\n", r.start ? "  in start i32 [2]\n" : "",
                        "  step pos\n  step row\n",
                        r.state ? concat("  state k ", r.state, " [2, 24, ", width, "]\n  ", op,
                                         " -> k[row]\n", "  out y = copy(k)\n")
                                : concat("  out y = ", op, "\n"));
  c.bindings = {{"T", r.rows}};
  c.steps = {{"pos", r.at}, {"row", r.into}};
  c.inputs["x"] = random_tensor({{2, r.rows, width}, Encoding::F32}, uint32_t(width + r.rows), 2);
  if (r.start) {
    c.inputs["start"] = HostTensor({{2}, Encoding::I32});
    c.inputs["start"].i = {3, 0};
  }
  c.weights["f"] = test::rope_frequencies(r.frequencies);
  c.terms = 4;
  return c;
}

} // namespace

TEST_CASE("rope: head sizes, numbers of heads, both kinds of pairs") {
  for (const char *fields : {"", " pairs=neighbours"})
    for (const uint64_t size : {2, 8, 24, 64, 128, 256})
      for (const uint64_t heads : {1, 3, 4, 9}) run_op_case(rope_case({3, heads, size, size / 2, fields, 5}));
}

TEST_CASE("rope: part of a head, a factor, one frequency") {
  for (const char *fields : {"", " pairs=neighbours", " scale=1.25"})
    for (const uint64_t frequencies : {1, 3, 8, 15})
      run_op_case(rope_case({7, 2, 32, frequencies, fields, 11}));
}

TEST_CASE("rope: positions of a long context") {
  for (const uint32_t at : {0u, 1u, 511u, 8191u, 40000u, 131071u, 200000u})
    run_op_case(rope_case({5, 2, 64, 32, "", at}));
}

TEST_CASE("rope: into a state, f32 and f16, at any row") {
  for (const char *state : {"f32", "f16"})
    for (const uint32_t at : {0u, 4u, 21u})
      for (const uint64_t size : {2, 18, 64}) // 18: pairs that begin in the middle of a word
        run_op_case(rope_case({3, 3, size, size / 2, "", at, state, at}));
  run_op_case(rope_case({3, 3, 10, 3, " pairs=neighbours", 9, "f16", 2}));
}

TEST_CASE("rope: batches that begin later") {
  for (const uint32_t at : {0u, 2u, 40u}) run_op_case(rope_case({5, 2, 16, 8, "", at, nullptr, 0, true}));
  run_op_case(rope_case({1, 2, 16, 8, "", 6, "f16", 6, true}));
}
