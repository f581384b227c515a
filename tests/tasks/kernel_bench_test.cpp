// Kernels by themselves: what is timed is the plan's, checked, and within what the device can do.
#include "models/golden.h"
#include "support/error_text.h"
#include "support/temp_folder.h"
#include "tasks/bench.h"

#include <doctest/doctest.h>
#include <numeric>

using namespace fovea;
using namespace fovea::test;

namespace {

constexpr const char *kGraph = "graph g\n  in x f32 [T, 64]\n  step pos\n  state s f32 [64, 64]\n"
                               "  a = linear(x, w1) act=relu\n  linear(a, w2, b1) -> s[pos]\n"
                               "  b = linear(a, w3) act=relu\n  c = linear(b, w2) act=relu\n"
                               "  out y = layer_norm(c, b1, b1)\n";

HostTensors layer_weights() {
  HostTensors all;
  for (const char *name : {"w1", "w2", "w3"})
    all[name] = random_tensor({{64, 64}, Encoding::F32}, uint32_t(name[1]), 0.125f);
  all["b1"] = random_tensor({{64}, Encoding::F32}, 9);
  return all;
}

struct Layers {
  explicit Layers(uint64_t n_rows = 5, const std::string &graph = kGraph,
                  const HostTensors &weights = layer_weights())
      : model(Model::open(write_model({graph}, weights))),
        session(test_device(), model, DeviceWeights::load(test_device(), model)),
        program(session.program("g", {{"T", n_rows}})) {
    const HostTensor x = random_tensor(program.plan().inputs[0].type, 4);
    program.set_input("x", std::span<const float>(x.f));
    if (!program.plan().steps.empty()) program.set_step("pos", 3);
    session.run(program);
  }
  std::shared_ptr<const Model> model;
  Session session;
  Program &program;
};

const DeviceBounds &bounds() {
  static const DeviceBounds measured = measure_bounds(*test_device());
  return measured;
}

KernelBenchOptions quick() {
  KernelBenchOptions options;
  options.timer.repetition_s = 0.002;
  options.timer.n_repetitions = 3;
  return options;
}

} // namespace

TEST_CASE("bounds: positive, and no faster from more memory") {
  const DeviceBounds &b = bounds();
  REQUIRE(b.bandwidth.size() >= 2);
  for (size_t i = 0; i < b.bandwidth.size(); ++i) {
    CHECK(b.bandwidth[i].bytes_per_s > 1e8);
    if (i > 0) CHECK(b.bandwidth[i].bytes_per_s <= b.bandwidth[i - 1].bytes_per_s);
    if (i > 0) CHECK(b.bandwidth[i].working_set_bytes > b.bandwidth[i - 1].working_set_bytes);
  }
  CHECK(b.flops_per_s > 1e9);
  CHECK(b.launch_s > 0);
  CHECK(b.launch_s < 0.01);
}

TEST_CASE("bounds: between and beyond what was measured; the slower of bytes and arithmetic") {
  const DeviceBounds b{{{1000, 40}, {4000, 20}}, 5, 0};
  CHECK(b.bytes_per_s(10) == 40);
  CHECK(b.bytes_per_s(2000) == doctest::Approx(30));
  CHECK(b.bytes_per_s(1 << 20) == 20);
  CHECK(b.memory_bytes_per_s() == 20);
  CHECK(b.seconds(80, 1, 10) == 2);
  CHECK(b.seconds(80, 50, 10) == 10);
}

TEST_CASE("kernels: every dispatch of the plan is in one row, with its kernel") {
  Layers layers;
  const std::vector<KernelRow> rows = time_kernels(layers.session, layers.program, bounds(), quick());
  std::map<std::string, uint32_t> planned, timed;
  for (const Dispatch &d : layers.program.plan().dispatches) ++planned[to_string(d.kernel)];
  double share = 0;
  for (const KernelRow &row : rows) {
    CAPTURE(row.statement);
    timed[row.kernel] += row.n_dispatches;
    share += row.share;
    CHECK(row.time.best_s > 0);
    CHECK(row.time.best_s <= row.time.median_s);
    CHECK(row.time.wall_s > 0);
    CHECK(row.part_of_bound() > 0);
    CHECK(row.part_of_bound() < 1.3);
    CHECK(row.alternatives.empty());
  }
  CHECK(timed == planned);
  CHECK(share == doctest::Approx(1));
  for (size_t i = 1; i < rows.size(); ++i) CHECK(rows[i].share <= rows[i - 1].share);
  // Two layers differ by nothing but their weights.
  const auto twice =
      std::find_if(rows.begin(), rows.end(), [](const KernelRow &r) { return r.n_dispatches == 2; });
  REQUIRE(twice != rows.end());
  CHECK(twice->statement == "linear = b");
  CHECK(twice->op() == "linear");
  CHECK(twice->shapes == "5x64 64x64 -> 5x64");
  CHECK(twice->flops >= 2 * 5 * 64 * 64);
}

TEST_CASE("kernels: states, inputs and results are afterwards what they were") {
  Layers layers;
  const std::vector<float> state = layers.session.read_state("s").f;
  const auto given = layers.program.output_as<float>("y");
  const std::vector<float> before(given.begin(), given.end());
  time_kernels(layers.session, layers.program, bounds(), quick());
  CHECK(layers.session.read_state("s").f == state);
  layers.session.run(layers.program);
  const auto again = layers.program.output_as<float>("y");
  CHECK(std::vector<float>(again.begin(), again.end()) == before);
}

TEST_CASE("kernels: the other kernels for the same work, each with its time") {
  Layers layers(40);
  KernelBenchOptions options = quick();
  options.alternatives = true;
  std::set<std::string> kernels;
  for (const KernelRow &row : time_kernels(layers.session, layers.program, bounds(), options)) {
    kernels.insert(row.kernel);
    for (const KernelAlternative &other : row.alternatives) {
      CHECK(other.kernel != row.kernel);
      CHECK(other.time.median_s > 0);
      kernels.insert(other.kernel);
    }
  }
  CHECK(kernels.count("linear_base_f32") == 1);
  CHECK(kernels.count("layer_norm") == 1);
}

TEST_CASE("kernels: a dispatch that writes too little, no number or another result each time is an error") {
  Layers layers;
  const std::vector<DispatchWork> work = layers.session.work(layers.program);
  KernelTimer timer(layers.session, layers.program, {});
  const Plan &plan = layers.program.plan();
  CHECK(timer.check(plan.dispatches[0], work[0], "ok").size() == 5 * 64 * 4);
  // The last is the norm: its output must be what the plan gives.
  timer.run(plan.dispatches);
  Dispatch fewer = plan.dispatches.back();
  REQUIRE(fewer.push[0] == 5); // rows
  fewer.push[0] = 4;
  CHECK(error_text([&] { timer.check(fewer, work.back(), "planted"); }) ==
        "planted: 256 elements were written, expected 320");
  Layers infinite(5, "graph g\n  in x f32 [T, 64]\n  out y = unary(x) f=exp\n", {});
  const std::vector<float> large(5 * 64, 1000.0f);
  infinite.program.set_input("x", std::span<const float>(large));
  KernelTimer of_infinite(infinite.session, infinite.program, {});
  CHECK(error_text([&] {
          of_infinite.check(infinite.program.plan().dispatches[0], infinite.session.work(infinite.program)[0],
                            "planted");
        }).find("planted: element 0 of the result is inf") == 0);
}

TEST_CASE("kernels: what goes on from run to run is put back; if it is not, that is found") {
  Layers recurrent(3, "graph g\n  in x f32 [1, T, 3]\n  state s f32 [1, 1, 1]\n  out y = gru(x, w, _, s)\n",
                   {{"w", random_tensor({{3, 1}, Encoding::F32}, 1)}});
  KernelTimer timer(recurrent.session, recurrent.program, {});
  Dispatch d = recurrent.program.plan().dispatches[0];
  const DispatchWork work = recurrent.session.work(recurrent.program)[0];
  const std::vector<float> state = recurrent.session.read_state("s").f;
  timer.check(d, work, "ok");
  CHECK(recurrent.session.read_state("s").f == state);
  for (Binding &b : d.touched)
    if (b.space == Space::State) b.access = Access::Read; // so it claims
  CHECK(error_text([&] { timer.check(d, work, "planted"); }) ==
        "planted: two runs on the same input gave different results");
}

TEST_CASE("bench: kernels of every stage of a model, and the device's bounds") {
  const TempFolder folder;
  const std::string source = shared_path("golden/cases/llama");
  if (source.empty()) return;
  convert(source, folder / "m.gguf", {Encoding::Q8, 0, {}, false});
  BenchOptions options;
  options.n_runs = 1;
  options.prompts = {20};
  options.caches = {30};
  CHECK_FALSE(bench(test_device(), folder / "m.gguf", options).bounds);
  options.kernels = true;
  std::vector<std::string> progress;
  options.progress = [&](const std::string &stage) { progress.push_back(stage); };
  const BenchReport report = bench(test_device(), folder / "m.gguf", options);
  REQUIRE(report.bounds);
  CHECK(report.bounds->flops_per_s > 0);
  CHECK(report.cpu_clock == (test_device()->caps().type == DeviceType::Software));
  for (const BenchStage &stage : report.stages) {
    size_t n = 0;
    uint64_t flops = 0;
    for (const KernelRow &row : stage.kernels) {
      n += row.n_dispatches;
      flops += row.flops * row.n_dispatches;
      CAPTURE(row.kernel);
      CAPTURE(row.shapes);
      CHECK(row.part_of_bound() < 1.3);
    }
    CHECK(n == stage.n_dispatches);
    CHECK(flops == stage.flops);
  }
  CHECK(progress == std::vector<std::string>{"the device's bounds", "prefill 20", "kernels of prefill 20",
                                             "decode at 30", "kernels of decode at 30"});
}
