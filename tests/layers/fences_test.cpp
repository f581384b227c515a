// Fences that signal late or never: waits end at their deadline, and destruction ends too.
#include "layers/support.h"

#include "support/op_case.h"
#include "vk/recording.h"

#include <chrono>
#include <thread>

using namespace fovea;
using namespace fovea::test;
using namespace std::chrono_literals;

namespace {

struct Work {
  explicit Work(const std::shared_ptr<vk::Device> &device)
      : buffer(device->allocate(vk::MemoryKind::Readback, 64, "test")) {
    vk::Recorder recorder = device->recorder();
    recorder.fill(buffer, 0, 64, 7);
    recorder.barrier(vk::Hazard::TransferToHost);
    recording = recorder.finish();
  }
  vk::Buffer buffer;
  vk::Recording recording;
};

template <class Body> double seconds(Body &&body) {
  const auto begin = std::chrono::steady_clock::now();
  body();
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
}

template <class Body> ErrorCode code_of(Body &&body) {
  try {
    body();
  } catch (const Error &e) {
    return e.code();
  }
  FAIL("no Error");
  return ErrorCode::Internal;
}

} // namespace

TEST_CASE("fences: a late one is waited for, and is an Error at the deadline") {
  const Armed layer;
  const auto device = open_device();
  const Work work(device);
  vk::Fence fence = device->fence();
  layer->delay_fences(1500);
  fence.submit(work.recording.parts());
  vk::WaitOptions options;
  options.timeout = 100ms;
  const double waited = seconds([&] { CHECK(code_of([&] { fence.wait(options); }) == ErrorCode::Timeout); });
  CHECK(waited >= 0.1);
  CHECK(waited < 1.2);
  CHECK(fence.pending());
  CHECK_FALSE(device->lost());
  fence.wait(); // it comes after all
  CHECK_FALSE(fence.pending());
  work.buffer.invalidate(0, 64);
  CHECK(work.buffer.data()[0] == std::byte(7));
}

TEST_CASE("fences: a wait ends when it is cancelled") {
  const Armed layer;
  const auto device = open_device();
  const Work work(device);
  vk::Fence fence = device->fence();
  layer->delay_fences(1500);
  fence.submit(work.recording.parts());
  std::atomic<bool> cancel{false};
  std::jthread later([&] {
    std::this_thread::sleep_for(100ms);
    cancel = true;
  });
  vk::WaitOptions options;
  options.cancel = &cancel;
  CHECK(seconds([&] { CHECK(code_of([&] { fence.wait(options); }) == ErrorCode::Cancelled); }) < 1.2);
  CHECK(fence.pending()); // and the destructor waits
}

TEST_CASE("fences: destruction waits for what is late, and nothing is left") {
  const Armed layer;
  const double waited = seconds([&] {
    const auto device = open_device();
    const Work work(device);
    vk::Fence fence = device->fence();
    layer->delay_fences(300);
    fence.submit(work.recording.parts());
  });
  CHECK(waited >= 0.3);
  CHECK(layer->live_objects() == 0);
}

TEST_CASE("fences: a model on a slow device gives the same") {
  const Quiet quiet;
  const Scenario scenario = speech_scenario();
  const std::vector<int32_t> want = scenario.run();
  const Armed layer;
  layer->delay_fences(30);
  CHECK(scenario.run() == want);
  CHECK(layer->live_objects() == 0);
}

TEST_CASE("fences: a run that took too long is an Error, and the next one waits for what it left running") {
  const Armed layer;
  const auto device = open_device();
  HostTensors weights;
  for (const char *name : {"g", "b"}) weights[name] = random_tensor({{32}, Encoding::F32}, 1);
  const auto model = Model::open(
      write_model({"graph n\n  in x f32 [4, 32]\n  out y = layer_norm(x, g, b) eps=1e-5\n"}, weights));
  Session session(device, model, DeviceWeights::load(device, model));
  Program &program = session.program("n");
  const HostTensor x = random_tensor({{4, 32}, Encoding::F32}, 2);
  program.set_input<float>("x", x.f);
  session.run(program);
  const std::vector<float> want(program.output_as<float>("y").begin(), program.output_as<float>("y").end());

  layer->delay_fences(1500);
  RunControl control;
  control.timeout = 100ms;
  CHECK(seconds([&] { CHECK(code_of([&] { session.run(program, control); }) == ErrorCode::Timeout); }) < 1.2);
  CHECK(seconds([&] { session.run(program); }) >= 1.5); // what is left of the first, and its own
  CHECK(std::equal(want.begin(), want.end(), program.output_as<float>("y").begin()));

  const std::atomic<bool> cancel{true};
  control = {0ms, &cancel};
  CHECK(seconds([&] { CHECK(code_of([&] { session.run(program, control); }) == ErrorCode::Cancelled); }) < 1);
  CHECK_FALSE(device->lost());
}

TEST_CASE("fences: a file's pages that work without end may still read stay mapped, and nobody else's") {
  const Quiet quiet;
  HostTensors weights;
  for (const char *name : {"g", "b"}) weights[name] = random_tensor({{32}, Encoding::F32}, 1);
  for (const bool ends : {true, false}) {
    const Armed layer;
    std::weak_ptr<const Model> pages;
    {
      const auto device = open_device();
      const auto model = Model::open(
          write_model({"graph n\n  in x f32 [4, 32]\n  out y = layer_norm(x, g, b) eps=1e-5\n"}, weights));
      pages = model;
      const auto loaded = DeviceWeights::load(device, model, WeightPlacement::Import);
      if (!loaded->imported()) return; // a driver that copies
      Session session(device, model, loaded);
      Program &program = session.program("n");
      layer->reset();
      layer->fail("vkWaitForFences", 1, VK_ERROR_OUT_OF_HOST_MEMORY, !ends);
      CHECK(code_of([&] { session.run(program); }) == ErrorCode::OutOfMemory);
    }
    CHECK(pages.expired() == ends);
    layer->forget_live();
  }
}

TEST_CASE("fences: one that never signals ends in an Error, and its device takes no further work" *
          doctest::test_suite("sweep")) { // 30 s, asleep
  const Quiet quiet;
  const Armed layer;
  const double waited = seconds([&] {
    const auto device = open_device();
    {
      const Work work(device);
      vk::Fence fence = device->fence();
      layer->delay_fences(layer::kNever);
      fence.submit(work.recording.parts());
      vk::WaitOptions options;
      options.timeout = 50ms;
      CHECK(code_of([&] { fence.wait(options); }) == ErrorCode::Timeout);
    }
    CHECK(device->lost());
    CHECK(code_of([&] { (void)device->fence(); }) == ErrorCode::DeviceLost);
  });
  CHECK(waited < 35);
  CHECK(layer->live_objects() > 0); // what hung work may still use is kept
  layer->forget_live();
  layer->delay_fences(0);
  const Work next(open_device()); // another device works
}
