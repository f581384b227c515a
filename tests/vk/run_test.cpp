// layer_norm end to end: buffers, descriptor sets, push constants, barriers, submits, timestamps.
#include "base/mapped_file.h"
#include "kernels/catalogue.h"
#include "tests/vk/support.h"

#include <cmath>
#include <cstdint>
#include <limits>
#include <numeric>
#include <random>
#include <thread>

namespace fovea::vk {
namespace {

constexpr float kEpsilon = 1e-5f;
constexpr size_t kGuard = 64; // floats on each side of the output: 256 bytes, the largest alignment there is
constexpr float kGuardValue = -12345.0f;

std::vector<float> reference(std::span<const float> x, std::span<const float> gamma,
                             std::span<const float> beta) {
  const size_t length = gamma.size();
  std::vector<float> y(x.size());
  for (size_t row = 0; row < x.size() / length; ++row) {
    const auto in = x.subspan(row * length, length);
    const double mean = std::accumulate(in.begin(), in.end(), 0.0) / double(length);
    double variance = 0;
    for (float v : in) variance += (double(v) - mean) * (double(v) - mean) / double(length);
    for (size_t d = 0; d < length; ++d)
      y[row * length + d] =
          float((double(in[d]) - mean) / std::sqrt(variance + double(kEpsilon)) * double(gamma[d]) +
                double(beta[d]));
  }
  return y;
}

std::vector<float> random_floats(size_t n, uint32_t seed) {
  std::mt19937 engine(seed);
  std::normal_distribution<float> normal;
  std::vector<float> out(n);
  for (float &v : out) v = normal(engine);
  return out;
}

void fill(const Buffer &buffer, std::span<const float> values) {
  std::memcpy(buffer.data(), values.data(), values.size_bytes());
  buffer.flush(0, values.size_bytes());
}

/// x, gamma, beta and a guarded, NaN-poisoned output, all in memory that the host sees.
struct Case {
  uint32_t n_rows, length;
  std::vector<float> x, gamma, beta;
  Buffer bx, bgamma, bbeta, by;

  Case(Device &device, uint32_t rows, uint32_t row_length)
      : n_rows(rows), length(row_length),
        x(random_floats(size_t(rows) * row_length, rows * 1000 + row_length)),
        gamma(random_floats(row_length, 1)), beta(random_floats(row_length, 2)) {
    const auto make = [&](size_t n) {
      return device.allocate(MemoryKind::Shared, n * sizeof(float), "layer_norm");
    };
    bx = make(x.size());
    bgamma = make(length);
    bbeta = make(length);
    by = make(x.size() + 2 * kGuard);
    fill(bx, x);
    fill(bgamma, gamma);
    fill(bbeta, beta);
    poison();
  }
  void poison() const {
    std::vector<float> y(x.size() + 2 * kGuard, kGuardValue);
    std::fill_n(y.begin() + kGuard, x.size(), std::numeric_limits<float>::quiet_NaN());
    fill(by, y);
  }
  DispatchCommand command(const Kernel &kernel) const {
    DispatchCommand out;
    out.kernel = &kernel;
    out.bindings = {{3, &by, kGuard * sizeof(float), x.size() * sizeof(float)}, // in any order
                    {0, &bx, 0, x.size() * sizeof(float)},
                    {1, &bgamma, 0, length * sizeof(float)},
                    {2, &bbeta, 0, length * sizeof(float)}};
    out.push_constants = test::bytes_of(
        LayerNormParams{.n_rows = n_rows, .row_length = length, .row_stride = 1, .epsilon = kEpsilon});
    out.groups = {n_rows, 1, 1};
    return out;
  }
  void check() const {
    by.invalidate(0, by.size_bytes());
    const float *y = test::floats(by);
    const std::vector<float> expected = reference(x, gamma, beta);
    double worst = 0;
    for (size_t i = 0; i < expected.size(); ++i) {
      const double error =
          std::abs(double(y[kGuard + i]) - double(expected[i])) / (1 + std::abs(double(expected[i])));
      worst = std::isnan(error) ? INFINITY : std::max(worst, error);
    }
    // Sums of `length` terms in binary32, and an inversesqrt good to 2 ulp.
    CHECK(worst <= (16 + std::sqrt(double(length))) * 0x1p-24);
    for (size_t i = 0; i < kGuard; ++i) {
      CHECK(y[i] == kGuardValue);
      CHECK(y[kGuard + expected.size() + i] == kGuardValue);
    }
  }
};

} // namespace

TEST_CASE("a grid is launched in parts by kernels that were made for it alone") {
  const auto device = test::open();
  const Case test(*device, 5, 64);
  const KernelVariant whole = test::layer_norm(*device).variant();
  KernelVariant variant = whole;
  variant.in_pieces = true;
  const Kernel &kernel = device->kernels().get(variant);
  Recorder recorder = device->recorder();
  const auto launch = [&](uint32_t first, uint32_t n) {
    DispatchCommand command = test.command(kernel);
    command.base = {first, 0, 0};
    command.groups = {n, 1, 1};
    recorder.barrier(Hazard::ComputeToCompute);
    recorder.dispatch(command);
  };
  launch(3, 2);
  launch(0, 3);
  recorder.barrier(Hazard::ComputeToHost);
  const Recording recording = recorder.finish();
  Fence fence = device->fence();
  fence.submit(recording.parts());
  fence.wait();
  test.check();

  DispatchCommand command = test.command(device->kernels().get(whole));
  command.base = {1, 0, 0};
  CHECK_THROWS_AS(recorder.dispatch(command), Error);
  command = test.command(kernel);
  command.base = {UINT32_MAX, 0, 0};
  CHECK_THROWS_AS(recorder.dispatch(command), Error);
}

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
        const Case test(*device, rows, length);
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
  const Case one(*device, 7, 65), two(*device, 3, 40);
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
  const Case test(*device, 2, 8);
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
  const Case test(*device, 4, 100);
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
        const Case test(*device, 16 + t, 50 + t);
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
  const Case test(*device, 2000, 2000); // some tens of ms on a software driver
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
  const Case test(*device, 2, 8);
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
