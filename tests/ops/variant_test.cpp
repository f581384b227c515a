// Every variant of a choice, tiles that are nobody's default included, against the scalar reference: each is
// put first by a table, as `fovea tune` would.
#include "exec/tensors.h"
#include "kernels/tuning.h"
#include "ops/registry.h"
#include "support/op_case.h"
#include "support/share.h"

#include <algorithm>
#include <cmath>
#include <doctest/doctest.h>

using namespace fovea;

namespace {

std::vector<float> outputs(const OpCase &c, const std::shared_ptr<const Model> &model,
                           std::shared_ptr<const TuningTable> table, Plan &plan) {
  SessionOptions options;
  options.bindings = c.bindings;
  options.adjust_caps = [&](DeviceCaps &caps) { caps.tuning = std::move(table); };
  Session session(test::test_device(), model, DeviceWeights::load(test::test_device(), model), options);
  const std::string graph = parse_graph(c.graph_text, op_table()).name();
  Program &program = session.program(graph, c.bindings);
  for (const auto &[name, tensor] : c.inputs) program.set_input(name, std::span<const float>(tensor.f));
  session.run(program);
  plan = program.plan();
  const auto y = program.output_as<float>("y");
  return {y.begin(), y.end()};
}

/// How many variants there are.
size_t check_variants(const OpCase &c) {
  const auto model = Model::open(test::write_model({c.graph_text}, c.weights));
  const auto reader = [&](const std::string &name) { return read_tensor(model->file(), name); };
  HostTensors states;
  const Graph graph = parse_graph(c.graph_text, op_table());
  const ReferenceRun expected = run_reference(graph, c.bindings, reader, c.inputs, c.steps, states);
  const std::vector<float> &want = expected.outputs.at("y").f;
  float largest = 0;
  for (const float v : want) largest = std::max(largest, std::abs(v));
  const double allowed = c.tolerance_factor * test::tolerance(Encoding::F32, c.terms, double(largest));
  Plan plan;
  outputs(c, model, nullptr, plan);
  size_t n_variants = 0;
  for (size_t i = 0; i < plan.dispatches.size(); ++i)
    for (const VariantId &id : plan.dispatches[i].among) {
      ++n_variants;
      if (!test::is_plan_run()) continue;
      auto table = std::make_shared<TuningTable>();
      table->rows[plan.dispatches[i].key] = id;
      Plan forced;
      const std::vector<float> got = outputs(c, model, table, forced);
      INFO(c.graph_text, to_string(id));
      CHECK(forced.dispatches[i].variant() == id);
      double worst = 0;
      REQUIRE(got.size() == want.size());
      for (size_t n = 0; n < got.size(); ++n)
        worst =
            std::isfinite(got[n]) ? std::max(worst, std::abs(double(got[n]) - double(want[n]))) : INFINITY;
      CHECK(worst <= allowed);
    }
  return n_variants;
}

} // namespace

TEST_CASE("variants: linear, every tile of every kernel") {
  size_t n_variants = 0;
  for (const Encoding e : {Encoding::F32, Encoding::F16, Encoding::Q8, Encoding::Q4})
    for (const uint64_t rows : {1, 3, 8, 21})
      for (const uint64_t n : {33, 100}) {
        OpCase c;
        c.graph_text = "graph g\n  in x f32 [T, 128]\n  out y = linear(x, w, b)\n";
        c.bindings = {{"T", rows}};
        c.inputs["x"] = random_tensor({{rows, 128}, Encoding::F32}, uint32_t(rows));
        c.weights["w"] = random_tensor({{n, 128}, e}, uint32_t(n), 0.5f);
        c.weights["b"] = random_tensor({{n}, Encoding::F32}, 3);
        c.terms = 128;
        n_variants += check_variants(c);
      }
  CHECK(n_variants >= 32);
}

TEST_CASE("variants: conv2d and attention, every tile of every kernel") {
  for (const Encoding e : {Encoding::F32, Encoding::F16, Encoding::Q8, Encoding::Q4}) {
    OpCase c;
    c.graph_text = "graph g\n  in x f32 [1, 7, 9, 32]\n  out y = conv2d(x, w) kernel=3 padding=1\n";
    c.inputs["x"] = random_tensor({{1, 7, 9, 32}, Encoding::F32}, 1);
    c.weights["w"] = random_tensor({{40, 288}, e}, 2, 0.5f);
    c.terms = 288;
    CHECK(check_variants(c) >= 1);
  }
  for (const uint64_t queries : {1, 3, 7, 40}) {
    OpCase c;
    c.graph_text = "graph g\n  in q f32 [T, 128]\n  in k f32 [50, 64]\n  in v f32 [50, 64]\n"
                   "  out y = attention(q, k, v) heads=4 kv_heads=2\n";
    c.bindings = {{"T", queries}};
    c.inputs["q"] = random_tensor({{queries, 128}, Encoding::F32}, 1);
    c.inputs["k"] = random_tensor({{50, 64}, Encoding::F32}, 2);
    c.inputs["v"] = random_tensor({{50, 64}, Encoding::F32}, 3);
    c.terms = 100;
    c.tolerance_factor = 4; // exp() may be wrong by 3 + 2|x| units in the last place
    CHECK(check_variants(c) >= 1);
  }
}
