// layer_norm end to end: buffers, descriptor sets, push constants, barriers, submits, timestamps.
#include "base/mapped_file.h"
#include "kernels/catalogue.h"
#include "tests/vk/layer_norm_case.h"

#include <cstdint>
#include <thread>

namespace fovea::vk {

TEST_CASE("layer_norm: odd sizes against a double reference") {
  const uint64_t before = validation_error_count();
  const auto device = test::open();
  Fence fence = device->fence();
  for (uint32_t workgroup : {1u, 32u, 64u, 128u}) {
    const Kernel &kernel = test::layer_norm(*device, workgroup);
    for (uint32_t length : {1u, 3u, 31u, 33u, 127u, 384u}) {
      for (uint32_t rows : {1u, 5u}) {
        CAPTURE(workgroup);
        CAPTURE(length);
        CAPTURE(rows);
        const LayerNormCase test(*device, rows, length);
        Recorder recorder = device->recorder();
        recorder.dispatch(test.command(kernel));
        recorder.barrier(Hazard::ComputeToHost);
        const Recording recording = recorder.finish();
        fence.submit(recording.parts());
        fence.wait();
        test.check();
      }
    }
  }
  CHECK(validation_error_count() == before);
}

TEST_CASE("a recording is replayed, in parts, indirectly and with times") {
  const uint64_t before = validation_error_count();
  const auto device = test::open();
  const Kernel &kernel = test::layer_norm(*device);
  const LayerNormCase one(*device, 7, 65), two(*device, 3, 40);
  const Buffer grid = device->allocate(MemoryKind::Staging, 3 * sizeof(uint32_t), "grid");
  const uint32_t groups[3] = {7, 1, 1};
  std::memcpy(grid.data(), groups, sizeof groups);
  grid.flush(0, sizeof groups);
  const Buffer copied = device->allocate(MemoryKind::Readback, two.by.size_bytes(), "copy");

  Recorder recorder = device->recorder(true);
  DispatchCommand indirect = one.command(kernel);
  indirect.indirect = &grid;
  recorder.dispatch(indirect);
  recorder.barrier(Hazard::ComputeToHost);
  recorder.split();
  recorder.split(); // no empty part
  recorder.dispatch(two.command(kernel));
  recorder.barrier(Hazard::ComputeToCompute | Hazard::ComputeToTransfer | Hazard::ComputeToHost);
  recorder.dispatch(two.command(kernel));
  recorder.barrier(Hazard::ComputeToTransfer);
  recorder.copy(two.by, 0, copied, 0, copied.size_bytes());
  recorder.barrier(Hazard::TransferToHost);
  const Recording recording = recorder.finish();
  REQUIRE(recording.parts().size() == 2);
  CHECK(recording.n_dispatches() == 3);

  Fence fence = device->fence();
  for (int round = 0; round < 3; ++round) {
    one.poison();
    two.poison();
    fence.submit(recording.parts().first(1));
    fence.wait();
    fence.submit(recording.parts().subspan(1));
    fence.wait();
    one.check();
    two.check();
    copied.invalidate(0, copied.size_bytes());
    CHECK(std::memcmp(copied.data(), two.by.data(), copied.size_bytes()) == 0);
  }
  if (recording.has_timestamps()) {
    std::vector<DispatchTime> times(3);
    recording.read_times(0, times);
    for (const DispatchTime &time : times) {
      CHECK(time.end_ns >= time.begin_ns);
      CHECK(time.end_ns - time.begin_ns < 1e10);
    }
    CHECK_THROWS_AS(recording.read_times(2, times), Error);
  }
  CHECK(validation_error_count() == before);
}

TEST_CASE("fills and copies, and the ranges that are refused") {
  const uint64_t before = validation_error_count();
  const auto device = test::open();
  const Buffer local = device->allocate(MemoryKind::Device, 1024, "local");
  const Buffer back = device->allocate(MemoryKind::Readback, 1024, "back");
  Recorder recorder = device->recorder();
  CHECK_THROWS_AS(recorder.fill(local, 2, 4, 0), Error);
  CHECK_THROWS_AS(recorder.fill(local, 0, 2048, 0), Error);
  CHECK_THROWS_AS(recorder.copy(local, 1020, back, 0, 8), Error);
  CHECK_THROWS_AS(recorder.copy(local, 0, back, UINT64_MAX, 8), Error);
  recorder.fill(local, 0, 1024, 7);
  recorder.barrier(Hazard::TransferToTransfer);
  recorder.fill(local, 512, 4, 9);
  recorder.barrier(Hazard::TransferToTransfer);
  recorder.copy(local, 0, back, 0, 1024);
  recorder.barrier(Hazard::TransferToHost);
  const Recording recording = recorder.finish();
  Fence fence = device->fence();
  fence.submit(recording.parts());
  fence.wait();
  back.invalidate(0, 1024);
  uint32_t words[256];
  std::memcpy(words, back.data(), sizeof words);
  CHECK(words[0] == 7);
  CHECK(words[128] == 9);
  CHECK(words[255] == 7);
  CHECK(validation_error_count() == before);
}

TEST_CASE("a dispatch that does not fit its kernel is refused by name") {
  const auto device = test::open();
  const Kernel &kernel = test::layer_norm(*device);
  const LayerNormCase test(*device, 2, 8);
  Recorder recorder = device->recorder();
  constexpr size_t n_push = sizeof(LayerNormParams);
  const auto refused = [&](auto change, std::string_view text) {
    DispatchCommand command = test.command(kernel);
    change(command);
    const Error error = test::error_of([&] { recorder.dispatch(command); });
    CHECK(error.code() == ErrorCode::Internal);
    CHECK(test::says(error, text));
    CHECK(test::says(error, "layer_norm(64)"));
  };
  refused([](auto &c) { c.push_constants.pop_back(); },
          concat(n_push - 1, " bytes of push constants, and the shader declares ", n_push));
  refused([](auto &c) { c.bindings.pop_back(); }, "3 bindings, and the shader uses 4");
  refused([](auto &c) { c.bindings[1].slot = 7; }, "no slot 7");
  refused([](auto &c) { c.bindings[1].slot = 1; }, "slot 1 is bound twice");
  refused([](auto &c) { c.bindings[1].buffer = nullptr; }, "no buffer at slot 0");
  refused([](auto &c) { c.bindings[1].size_bytes = 1 << 20; }, "slot 0: bytes 0 + 1048576 of a buffer of 64");
  refused([](auto &c) { c.bindings[1].offset = UINT64_MAX; }, "slot 0");
  refused([](auto &c) { c.bindings[1].offset = 4, c.bindings[1].size_bytes = 4; }, "not a multiple of");
  refused([&](auto &c) { c.groups[1] = UINT32_MAX; }, "workgroups along y");
  CHECK_THROWS_AS(recorder.dispatch({}), Error);
}

TEST_CASE("weights of a mapped file are read in place") {
  const uint64_t before = validation_error_count();
  const auto device = test::open();
  const test::TemporaryFolder folder;
  const std::string path = (folder.path / "weights").string();
  const LayerNormCase test(*device, 4, 100);
  const size_t gamma_at = 4096,
               beta_at = 8192; // aligned in the file, and the file is no whole number of pages
  {
    AtomicFile file(path);
    file.write(std::vector<std::byte>(gamma_at));
    file.write(std::as_bytes(std::span(test.gamma)));
    file.write(std::vector<std::byte>(beta_at - gamma_at - test.gamma.size() * 4));
    file.write(std::as_bytes(std::span(test.beta)));
    file.commit();
  }
  const MappedFile file(path);
  const std::optional<Buffer> weights = device->import_host(file.bytes(), "weights");
  if (!device->caps().host_pointer_import) {
    CHECK_FALSE(weights.has_value());
    return;
  }
  if (!weights && device->caps().type != DeviceType::Software)
    return; // some drivers cannot pin read-only pages
  REQUIRE(weights.has_value());
  CHECK(weights->size_bytes() == file.bytes().size());
  CHECK(weights->kind() == MemoryKind::Imported);
  CHECK_FALSE(device->import_host(file.bytes().subspan(1), "askew").has_value());

  DispatchCommand command = test.command(test::layer_norm(*device));
  command.bindings[2] = {1, &*weights, gamma_at, 400};
  command.bindings[3] = {2, &*weights, beta_at, 400};
  Recorder recorder = device->recorder();
  recorder.dispatch(command);
  recorder.barrier(Hazard::ComputeToHost);
  command.bindings[0] = {3, &*weights, gamma_at, 400};
  CHECK(test::says(test::error_of([&] { recorder.dispatch(command); }), "slot 3 writes to imported pages"));
  const Recording recording = recorder.finish();
  Fence fence = device->fence();
  fence.submit(recording.parts());
  fence.wait();
  test.check();
  CHECK(validation_error_count() == before);
}

TEST_CASE("many threads, one device") {
  const uint64_t before = validation_error_count();
  const auto device = test::open();
  std::vector<std::thread> threads;
  std::atomic<int> n_failed{0};
  for (uint32_t t = 0; t < 4; ++t)
    threads.emplace_back([&, t] {
      try {
        const Kernel &kernel = test::layer_norm(*device, t % 2 ? 32 : 64);
        const LayerNormCase test(*device, 16 + t, 50 + t);
        Recorder recorder = device->recorder();
        recorder.dispatch(test.command(kernel));
        recorder.barrier(Hazard::ComputeToHost);
        const Recording recording = recorder.finish();
        Fence fence = device->fence();
        for (int i = 0; i < 20; ++i) {
          fence.submit(recording.parts());
          fence.wait();
        }
        test.check();
      } catch (const std::exception &) {
        ++n_failed;
      }
    });
  for (std::thread &thread : threads) thread.join();
  CHECK(n_failed == 0);
  CHECK(validation_error_count() == before);
}

TEST_CASE("waiting: deadline, cancel flag, and work that outlives both") {
  const uint64_t before = validation_error_count();
  const auto device = test::open();
  const Kernel &kernel = test::layer_norm(*device, 1);
  const LayerNormCase test(*device, 2000, 2000); // some tens of ms on a software driver
  Recorder recorder = device->recorder();
  for (int i = 0; i < 4; ++i) {
    recorder.dispatch(test.command(kernel));
    recorder.barrier(Hazard::ComputeToCompute | Hazard::ComputeToHost);
  }
  const Recording recording = recorder.finish();
  Fence fence = device->fence();
  fence.wait(); // nothing pending: at once

  const std::atomic<bool> cancel{true};
  bool cancelled = false;
  fence.submit(recording.parts());
  try {
    fence.wait({.cancel = &cancel, .slice = std::chrono::milliseconds(0)});
  } catch (const Error &error) {
    CHECK(error.code() == ErrorCode::Cancelled);
    cancelled = true;
  }
  // The layer itself waits in every submit when it checks shaders.
  if (device->caps().type == DeviceType::Software && test::validation() != Validation::Gpu) CHECK(cancelled);
  if (cancelled) {
    CHECK(fence.pending());
    CHECK(test::error_of([&] { fence.submit(recording.parts()); }).code() == ErrorCode::Internal);
    fence.wait();
  }
  CHECK_FALSE(fence.pending());
  test.check();

  fence.submit(recording.parts());
  try {
    fence.wait({.timeout = std::chrono::milliseconds(0)});
  } catch (const Error &error) {
    CHECK(error.code() == ErrorCode::Timeout);
    CHECK(fence.pending());
  }
  CHECK_FALSE(device->lost()); // the fence's destructor waits for the rest
  { const Fence drained = std::move(fence); }
  test.check();
  CHECK(validation_error_count() == before);
}

TEST_CASE("a lost device latches: typed errors, no submit, teardown without waiting") {
  const auto device = test::open();
  const Kernel &kernel = test::layer_norm(*device);
  const LayerNormCase test(*device, 2, 8);
  Recorder recorder = device->recorder();
  recorder.dispatch(test.command(kernel));
  recorder.barrier(Hazard::ComputeToHost);
  const Recording recording = recorder.finish();
  Fence fence = device->fence();
  fence.submit(recording.parts());
  fence.wait();
  CHECK(test::error_of([&] { device->context()->check(VK_ERROR_DEVICE_LOST, "vkQueueSubmit"); }).code() ==
        ErrorCode::DeviceLost);
  CHECK(device->lost());
  CHECK(test::error_of([&] { fence.submit(recording.parts()); }).code() == ErrorCode::DeviceLost);
  CHECK(test::error_of([&] { device->allocate(MemoryKind::Device, 64, "more"); }).code() ==
        ErrorCode::DeviceLost);
  CHECK(test::error_of([&] { device->fence(); }).code() == ErrorCode::DeviceLost);
  CHECK(test::error_of([&] { test::layer_norm(*device, 32); }).code() == ErrorCode::DeviceLost);
  CHECK(test::open()->name() == device->name()); // another one works
}

} // namespace fovea::vk
