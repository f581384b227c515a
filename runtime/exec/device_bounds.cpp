#include "exec/device_bounds.h"

#include "kernels/catalogue.h"

#include <algorithm>
#include <cmath>
#include <cstring>

namespace fovea {
namespace {

constexpr uint32_t kWorkgroup = 64;
constexpr uint32_t kBlockVectors = 16, kVectorBytes = 16; // shaders/measure_bandwidth.comp
constexpr uint64_t kBlockBytes = uint64_t(kWorkgroup) * kBlockVectors * kVectorBytes;
constexpr uint32_t kGroups = 2048;
constexpr uint64_t kPatternBytes = 1 << 20;
constexpr uint64_t kMaxBytes = 256 << 20;
constexpr uint64_t kSizes[] = {256 << 10, 1 << 20, 4 << 20, 16 << 20, 64 << 20};
constexpr double kRun_s = 0.01; // at least
constexpr int kRuns = 5;
constexpr uint32_t kMaxPasses = 1 << 20;

template <class Params> std::vector<std::byte> push_bytes(const Params &params) {
  const auto bytes = std::as_bytes(std::span(&params, 1));
  return {bytes.begin(), bytes.end()};
}

class Meter {
public:
  Meter(vk::Device &device, const std::atomic<bool> *cancel)
      : device_(device), cancel_(cancel), clock_(device.caps()), fence_(device.fence()) {
    results_ = device.allocate(vk::MemoryKind::Readback, uint64_t(kGroups) * kWorkgroup * 4, "results");
  }

  const vk::Buffer &results() const { return results_; }
  template <class T> std::span<const T> results_as() {
    results_.invalidate(0, results_.size_bytes());
    return {reinterpret_cast<const T *>(results_.data()), size_t(results_.size_bytes() / sizeof(T))};
  }

  /// Of one submit.
  WorkClock::Seconds run(const vk::Recording &recording) {
    if (cancel_ && cancel_->load()) fail(ErrorCode::Cancelled, "measuring was cancelled");
    clock_.start();
    fence_.submit(recording.parts());
    fence_.wait({.timeout = std::chrono::minutes(5)}); // a software driver compiles in it
    return clock_.elapsed();
  }

  vk::Recording record(KernelId kernel, std::vector<vk::Binding> bindings, std::vector<std::byte> push,
                       uint32_t n_groups, uint32_t n_times = 1) {
    vk::Recorder recorder = device_.recorder();
    const vk::Kernel &made = device_.kernels().get({kernel, {kWorkgroup}, 0});
    for (uint32_t i = 0; i < n_times; ++i) {
      recorder.dispatch({&made, bindings, push, {n_groups, 1, 1}});
      recorder.barrier(vk::Hazard::ComputeToCompute);
    }
    recorder.barrier(vk::Hazard::ComputeToHost);
    return recorder.finish();
  }

  /// Seconds of the best run of what `make` records for `amount` of work, and the amount: grown until a run
  /// takes long enough.
  template <class Make> std::pair<double, uint32_t> best(uint32_t amount, const Make &make) {
    for (;;) {
      const vk::Recording recording = make(amount);
      run(recording);
      double least = run(recording).cpu;
      if (least < kRun_s && amount < kMaxPasses) {
        amount *= least > kRun_s / 8 ? 2 : 8;
        continue;
      }
      for (int i = 1; i < kRuns; ++i) least = std::min(least, run(recording).cpu);
      return {least, amount};
    }
  }

  vk::Device &device() { return device_; }

private:
  vk::Device &device_;
  const std::atomic<bool> *cancel_;
  WorkClock clock_;
  vk::Fence fence_;
  vk::Buffer results_;
};

/// Memory that holds one MiB of noise again and again.
class Noise {
public:
  Noise(Meter &meter, uint64_t bytes)
      : buffer_(meter.device().allocate(vk::MemoryKind::Device, bytes, "noise")) {
    const vk::Buffer staging = meter.device().allocate(vk::MemoryKind::Staging, kPatternBytes, "noise");
    std::vector<uint32_t> words(kPatternBytes / 4);
    uint32_t state = 1;
    for (uint32_t &w : words) w = state = state * 1664525u + 1013904223u;
    std::memcpy(staging.data(), words.data(), kPatternBytes);
    staging.flush(0, kPatternBytes);
    for (size_t block = 0; block < kPatternBytes / kBlockBytes; ++block) {
      uint32_t sum = 0;
      for (size_t i = 0; i < kBlockBytes / 4; ++i) sum += words[block * kBlockBytes / 4 + i];
      block_sums_.push_back(sum);
    }
    vk::Recorder recorder = meter.device().recorder();
    for (uint64_t at = 0; at < bytes; at += kPatternBytes)
      recorder.copy(staging, 0, buffer_, at, std::min(kPatternBytes, bytes - at));
    recorder.barrier(vk::Hazard::TransferToCompute);
    meter.run(recorder.finish());
  }
  const vk::Buffer &buffer() const { return buffer_; }
  /// What all invocations together must find.
  uint32_t sum(uint32_t n_blocks, uint32_t n_passes) const {
    uint32_t total = 0;
    for (uint64_t i = 0; i < uint64_t(n_passes) * kGroups; ++i)
      total += block_sums_[i % n_blocks % block_sums_.size()];
    return total;
  }

private:
  vk::Buffer buffer_;
  std::vector<uint32_t> block_sums_;
};

double bandwidth(Meter &meter, const Noise &noise, KernelId kernel, uint64_t bytes) {
  const auto n_blocks = uint32_t(bytes / kBlockBytes);
  const auto make = [&](uint32_t n_passes) {
    const MeasureBandwidthParams params{n_blocks, n_passes};
    return meter.record(
        kernel, {{0, &noise.buffer(), 0, bytes}, {1, &meter.results(), 0, meter.results().size_bytes()}},
        push_bytes(params), kGroups);
  };
  // All of it at least once.
  const auto [seconds, n_passes] = meter.best(std::max(1u, (n_blocks + kGroups - 1) / kGroups), make);
  uint32_t sum = 0;
  for (const uint32_t s : meter.results_as<uint32_t>()) sum += s;
  if (sum != noise.sum(n_blocks, n_passes))
    fail(ErrorCode::Internal, to_string(kernel), " on ", meter.device().name(), ": read ", bytes,
         " bytes and found their sum wrong; the driver computes wrongly");
  return double(n_passes) * kGroups * double(kBlockBytes) / seconds;
}

double fma_rate(Meter &meter, KernelId kernel, uint32_t n_vectors) {
  constexpr MeasureFmaParams kParams{0, 0.9999f, 0.0001f};
  const auto make = [&](uint32_t n_rounds) {
    MeasureFmaParams params = kParams;
    params.n_rounds = n_rounds;
    return meter.record(kernel, {{0, &meter.results(), 0, meter.results().size_bytes()}}, push_bytes(params),
                        kGroups);
  };
  const auto [seconds, n_rounds] = meter.best(32, make);
  const double factor = double(kParams.factor), limit = double(kParams.term) / (1 - factor);
  const double decay = std::pow(factor, 8.0 * n_rounds);
  const auto values = meter.results_as<float>();
  for (size_t i = 0; i < values.size(); ++i) {
    double expected = 0;
    for (uint32_t c = 0; c < n_vectors; ++c)
      for (const double start : {0.0, 0.25, 0.5, 0.75})
        expected += limit + (start + 0.03125 * double(i % kWorkgroup & 7) + 0.125 * c - limit) * decay;
    if (!(std::abs(double(values[i]) - expected) <= 0.01 * expected))
      fail(ErrorCode::Internal, to_string(kernel), " on ", meter.device().name(), ": gave ", values[i],
           ", expected ", expected, "; the driver computes wrongly");
  }
  return 2.0 * 8 * 4 * n_vectors * n_rounds * double(values.size()) / seconds;
}

/// By the wall's clock: nothing else is done meanwhile.
double launch(Meter &meter) {
  constexpr uint32_t kLaunches = 500;
  const MeasureFmaParams params{0, 1, 0};
  const vk::Recording recording =
      meter.record(KernelId::measure_fma_8, {{0, &meter.results(), 0, meter.results().size_bytes()}},
                   push_bytes(params), 1, kLaunches);
  meter.run(recording);
  double least = meter.run(recording).wall;
  for (int i = 1; i < kRuns; ++i) least = std::min(least, meter.run(recording).wall);
  return least / kLaunches;
}

} // namespace

double DeviceBounds::bytes_per_s(uint64_t working_set_bytes) const {
  const auto above = std::find_if(bandwidth.begin(), bandwidth.end(), [&](const Bandwidth &b) {
    return b.working_set_bytes >= working_set_bytes;
  });
  if (above == bandwidth.end()) return memory_bytes_per_s();
  if (above == bandwidth.begin()) return above->bytes_per_s;
  const Bandwidth &below = *(above - 1);
  const double at = std::log(double(working_set_bytes) / double(below.working_set_bytes)) /
                    std::log(double(above->working_set_bytes) / double(below.working_set_bytes));
  return below.bytes_per_s + at * (above->bytes_per_s - below.bytes_per_s);
}

DeviceBounds measure_bounds(vk::Device &device, const std::atomic<bool> *cancel) {
  const DeviceCaps &caps = device.caps();
  DeviceBounds bounds;
  Meter meter(device, cancel);
  const uint64_t room = std::min({kMaxBytes, caps.max_storage_buffer_range, caps.max_allocation_bytes,
                                  caps.device_memory_bytes ? caps.device_memory_bytes / 8 : kMaxBytes});
  const Noise noise(meter, room / kPatternBytes * kPatternBytes);
  std::vector<uint64_t> sizes;
  for (const uint64_t size : kSizes)
    if (size < noise.buffer().size_bytes()) sizes.push_back(size);
  sizes.push_back(noise.buffer().size_bytes());
  for (const uint64_t size : sizes) {
    double rate = bandwidth(meter, noise, KernelId::measure_bandwidth, size);
    if (size <= uint64_t(caps.max_texel_buffer_elements) * kVectorBytes)
      rate = std::max(rate, bandwidth(meter, noise, KernelId::measure_bandwidth_texel, size));
    bounds.bandwidth.push_back({size, rate});
  }
  // What is read out of more can be read out of less; measurements vary.
  for (size_t i = bounds.bandwidth.size() - 1; i-- > 0;)
    bounds.bandwidth[i].bytes_per_s =
        std::max(bounds.bandwidth[i].bytes_per_s, bounds.bandwidth[i + 1].bytes_per_s);
  bounds.flops_per_s =
      std::max({fma_rate(meter, KernelId::measure_fma_8, 2), fma_rate(meter, KernelId::measure_fma_16, 4),
                fma_rate(meter, KernelId::measure_fma_32, 8)});
  bounds.launch_s = launch(meter);
  return bounds;
}

} // namespace fovea
