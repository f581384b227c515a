// Launches and submits held to what they take on this device, not to what the planner estimates.
#include "layers/support.h"

#include "support/op_case.h"

#include <limits>

using namespace fovea;
using namespace fovea::test;

namespace {

constexpr double kMostLaunchSeconds = 0.03, kMostSubmitSeconds = 0.1; // docs/reliability.md, "Watchdogs"

HostTensor weight(const TensorType &type, uint32_t seed) {
  HostTensor out(type); // cheap, and no zeros
  for (size_t i = 0; i < out.f.size(); ++i)
    out.f[i] = float(int((i * 2654435761u + seed) >> 24 & 255) - 127) / 2048;
  return out;
}

std::shared_ptr<vk::Device> device_of_speed(uint64_t flops_per_s, uint64_t bytes_per_s) {
  vk::DeviceOptions options;
  options.cache_folder = "";
  options.tuning = false;
  options.adjust_caps = [=](DeviceCaps &caps) {
    caps.flops_per_s = flops_per_s;
    caps.bytes_per_s = bytes_per_s;
  };
  return vk::Device::open(options);
}
/// So fast that nothing needs to be cut; so slow that a third of a second is planned for `wide_model`.
std::shared_ptr<vk::Device> fast_device() {
  constexpr uint64_t kAny = std::numeric_limits<uint64_t>::max() / 2;
  return device_of_speed(kAny, kAny);
}
std::shared_ptr<vk::Device> slow_device() { return device_of_speed(60'000'000'000, 5'000'000'000); }

/// What the second run takes: drivers compile in the first.
layer::WorkCounts measured(const std::shared_ptr<vk::Device> &device,
                           const std::shared_ptr<const Model> &model, const HostTensors &inputs,
                           layer::WorkLimits limits = {}) {
  limits.on = true;
  test_layer().measure_work({true, 0, 0});
  Session session(device, model, DeviceWeights::load(device, model));
  Program &program = session.program(model->graphs()[0].name());
  for (const auto &[name, tensor] : inputs) program.set_input(name, std::as_bytes(std::span(tensor.f)));
  session.run(program);
  test_layer().measure_work(limits);
  session.run(program);
  return test_layer().work_counts();
}

std::string text_of(const layer::WorkCounts &c) {
  return concat(c.n_launches, " launches in ", c.n_submits, " submits, ", c.launches_s,
                " s in all; the longest launch ", c.longest_launch_s, " s, the longest submit ",
                c.longest_submit_s, " s");
}

const std::string kWide = "graph wide\n  in x f32 [1, 1500, 1280]\n  out y = linear(x, w)\n";
const TensorType kWideWeight{{5120, 1280}, Encoding::F16}, kWideInput{{1, 1500, 1280}, Encoding::F32};

std::shared_ptr<const Model> wide_model() {
  return Model::open(write_model({kWide}, {{"w", weight(kWideWeight, 1)}}));
}
HostTensors wide_inputs() { return {{"x", weight(kWideInput, 2)}}; }

} // namespace

TEST_CASE("work: a launch and a submit that take long are reported, and are short when cut") {
  const Armed layer;
  const auto model = wide_model();
  const HostTensors inputs = wide_inputs();
  const auto device = fast_device();
  const layer::WorkCounts whole = measured(device, model, inputs);
  CHECK(whole.n_launches == 1);
  const bool timed = whole.n_timed > 0; // not every device has timestamps
  const uint64_t n_reports = provoke([&] {
    (void)measured(device, model, inputs, {true, whole.longest_launch_s / 4, whole.longest_submit_s / 4});
  });
  CHECK(n_reports == (timed ? 2 : 1));
  const layer::WorkCounts cut = measured(slow_device(), model, inputs);
  INFO("whole: ", text_of(whole), "\ncut: ", text_of(cut));
  CHECK(cut.n_launches > 4);
  CHECK(cut.n_submits > 1);
  if (timed) CHECK(cut.longest_launch_s < whole.longest_launch_s / 3);
  CHECK(cut.longest_submit_s < whole.longest_submit_s / 1.3);
}

TEST_CASE("work: where a submit takes longer than planned, those that follow it are smaller at once") {
  const Armed layer;
  const auto device = slow_device();
  const auto model = wide_model();
  Session session(device, model, DeviceWeights::load(device, model));
  layer->measure_work({true, 0, 0});
  Program &program = session.program("wide");
  for (const auto &[name, tensor] : wide_inputs())
    program.set_input(name, std::as_bytes(std::span(tensor.f)));
  layer->delay_fences(400);
  session.run(program);
  const layer::WorkCounts counts = layer->work_counts();
  INFO(text_of(counts));
  CHECK(counts.n_launches >= 8);
  CHECK(counts.n_submits + 2 >= counts.n_launches); // three and more are in the first only
}

TEST_CASE("work: statements of large models stay near 30 ms a launch and 100 ms a submit on this device" *
          doctest::test_suite("sweep")) {
  const Armed layer;
  struct Statement {
    const char *name, *graph;
    std::map<std::string, TensorType> weights;
    Shape input;
  };
  const std::vector<Statement> statements = {
      {"encoder of Whisper large, q8",
       "graph g\n  in x f32 [1, 1500, 1280]\n  wide = linear(x, ffn)\n  out y = linear(wide, back)\n",
       {{"ffn", {{5120, 1280}, Encoding::Q8}}, {"back", {{1280, 5120}, Encoding::Q8}}},
       {1, 1500, 1280}},
      {"attention of Whisper large",
       "graph g\n  in x f32 [1, 1500, 1280]\n  q = linear(x, w)\n  out y = attention(q, q, q) heads=20\n",
       {{"w", {{1280, 1280}, Encoding::F16}}},
       {1, 1500, 1280}},
      {"prompt of a large Llama, q4",
       "graph g\n  in x f32 [1, 512, 4096]\n  up = linear(x, mlp)\n  out y = linear(up, back)\n",
       {{"mlp", {{14336, 4096}, Encoding::Q4}}, {"back", {{4096, 14336}, Encoding::Q4}}},
       {1, 512, 4096}},
      {"vocabulary of a Llama, q8",
       "graph g\n  in x f32 [1, 1, 4096]\n  out y = linear(x, w)\n",
       {{"w", {{32000, 4096}, Encoding::Q8}}},
       {1, 1, 4096}},
      {"convolution of a picture",
       "graph g\n  in x f32 [1, 320, 320, 64]\n  out y = conv2d(x, w) kernel_h=3 kernel_w=3 padding=1\n",
       {{"w", {{128, 576}, Encoding::F16}}},
       {1, 320, 320, 64}},
      {"recurrent layer",
       "graph g\n  in x f32 [1, 1500, 2048]\n  out y = lstm(x, w)\n",
       {{"w", {{2048, 512}, Encoding::F16}}},
       {1, 1500, 2048}},
  };
  constexpr double kBusy = 4; // other programs have the processors too
  const auto device = open_device();
  for (const Statement &s : statements) {
    HostTensors weights;
    uint32_t seed = 3;
    for (const auto &[name, type] : s.weights) weights[name] = weight(type, seed++);
    const layer::WorkCounts counts = measured(device, Model::open(write_model({s.graph}, weights)),
                                              {{"x", weight({s.input, Encoding::F32}, 2)}});
    MESSAGE(concat(s.name, ": ", text_of(counts)));
    CHECK(counts.longest_launch_s < kBusy * kMostLaunchSeconds);
    CHECK(counts.longest_submit_s < kBusy * kMostSubmitSeconds);
  }
}
