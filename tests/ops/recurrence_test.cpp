#include "exec/tensors.h"
#include "support/op_case.h"

#include <cmath>

#include <doctest/doctest.h>

using namespace fovea;

namespace {

struct Layer {
  const char *op;
  uint64_t gates, carried;
};
constexpr Layer kLayers[] = {{"lstm", 4, 2}, {"gru", 3, 1}};

OpCase recurrence(const Layer &layer, uint64_t batch, uint64_t rows, uint64_t units, Encoding encoding,
                  std::string_view operands, std::string_view fields = "") {
  OpCase c;
  c.graph_text =
      concat("graph g\n  in x f32 [B, T, ", layer.gates * units, "]\n  state s f32 [B, ", layer.carried, ", ",
             units, "]\n  out y = ", layer.op, "(x, w", operands, ")", fields, "\n");
  c.bindings = {{"B", batch}, {"T", rows}};
  c.inputs["x"] = random_tensor({{batch, rows, layer.gates * units}, Encoding::F32}, 1);
  const float scale = 1.0f / std::sqrt(float(units));
  c.weights["w"] = random_tensor({{layer.gates * units, units}, encoding}, 2, scale);
  c.weights["b"] = random_tensor({{layer.gates * units}, Encoding::F32}, 3, 0.1f);
  c.terms = units + 4 * rows; // roundings pass from row to row, and gates dampen them
  return c;
}

} // namespace

TEST_CASE("recurrence: units of every width, both directions, with and without bias and state") {
  for (const Layer &layer : kLayers)
    for (const uint64_t units : {1, 3, 20, 31, 33, 127, 256}) {
      CAPTURE(units);
      run_op_case(recurrence(layer, 2, 5, units, Encoding::F32, ", b"));
      run_op_case(recurrence(layer, 1, 3, units, Encoding::F32, "", " reverse=true"));
      run_op_case(recurrence(layer, 3, 2, units, Encoding::F16, ", b, s"));
      run_op_case(recurrence(layer, 1, 1, units, Encoding::F32, ", _, s", " reverse=true"));
    }
}

TEST_CASE("recurrence: quantized weights, long sequences") {
  for (const Layer &layer : kLayers) {
    for (const Encoding encoding : {Encoding::Q8, Encoding::Q4})
      for (const uint64_t units : {32, 96}) run_op_case(recurrence(layer, 2, 7, units, encoding, ", b, s"));
    run_op_case(recurrence(layer, 2, 200, 24, Encoding::F32, ", b, s"));
  }
}

TEST_CASE("recurrence: a wide layer, a dispatch a row") {
  for (const Layer &layer : kLayers) {
    run_op_case(recurrence(layer, 2, 3, 545, Encoding::F32, ", b, s"));
    run_op_case(recurrence(layer, 1, 4, 544, Encoding::Q8, ", b", " reverse=true"));
    run_op_case(recurrence(layer, 2, 1, 200, Encoding::F16, ", b, s")); // a single row
    run_op_case(recurrence(layer, 1, 2, 1024, Encoding::F16, ""));
  }
}

TEST_CASE("recurrence: a layer that is cut into dispatches for the watchdog") {
  OpCase c = recurrence(kLayers[0], 1, 64, 512, Encoding::F16, ", b, s"); // 2 MFLOP a row
  run_op_case(c);
}

TEST_CASE("recurrence: two halves with the state between them are the whole") {
  for (const Layer &layer : kLayers) {
    constexpr uint64_t kRows = 12, kUnits = 20;
    OpCase c = recurrence(layer, 2, kRows, kUnits, Encoding::F32, ", b, s");
    const auto model = Model::open(test::write_model({c.graph_text}, c.weights));
    const auto weights = DeviceWeights::load(test::test_device(), model);
    const auto run = [&](Session &session, uint64_t first, uint64_t n) {
      const uint64_t width = layer.gates * kUnits;
      HostTensor part({{2, n, width}, Encoding::F32});
      for (uint64_t b = 0; b < 2; ++b)
        std::copy_n(&c.inputs["x"].f[(b * kRows + first) * width], n * width, &part.f[b * n * width]);
      Program &program = session.program("g", {{"B", 2}, {"T", n}});
      program.set_input("x", std::span<const std::byte>(tensor_bytes(part)));
      session.run(program);
      return host_tensor({{2, n, kUnits}, Encoding::F32}, program.output("y")).f;
    };
    SessionOptions options;
    options.bindings = {{"B", 2}};
    Session whole(test::test_device(), model, weights, options),
        halves(test::test_device(), model, weights, options);
    const std::vector<float> expected = run(whole, 0, kRows), first = run(halves, 0, 5),
                             second = run(halves, 5, 7);
    for (uint64_t b = 0; b < 2; ++b) {
      CHECK(std::equal(&first[b * 5 * kUnits], &first[b * 5 * kUnits] + 5 * kUnits,
                       &expected[b * kRows * kUnits]));
      CHECK(std::equal(&second[b * 7 * kUnits], &second[b * 7 * kUnits] + 7 * kUnits,
                       &expected[(b * kRows + 5) * kUnits]));
    }
  }
}
