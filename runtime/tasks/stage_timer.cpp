#include "tasks/stage_timer.h"

#include "tasks/sampling.h"

#include <algorithm>
#include <cmath>
#include <numbers>

namespace fovea {
namespace {

using Clock = std::chrono::steady_clock;

double median(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  const size_t n = values.size();
  return n == 0 ? 0 : n % 2 ? values[n / 2] : 0.5 * (values[n / 2 - 1] + values[n / 2]);
}

uint64_t weight_bytes(const Plan &plan) {
  std::map<uint64_t, uint64_t> ranges; // begin -> end
  for (const Dispatch &d : plan.dispatches)
    for (const Binding &b : d.bindings)
      if (b.space == Space::Weights) ranges[b.offset] = std::max(ranges[b.offset], b.offset + b.bytes);
  uint64_t sum = 0, reached = 0;
  for (const auto &[begin, end] : ranges) {
    if (end > reached) sum += end - std::max(begin, reached);
    reached = std::max(reached, end);
  }
  return sum;
}

/// The outputs' bytes, all finite.
std::vector<std::byte> check(const Program &program, const std::string &name) {
  std::vector<std::byte> all;
  for (const PlanValue &out : program.plan().outputs) {
    const auto bytes = program.output(out.name);
    all.insert(all.end(), bytes.begin(), bytes.end());
    if (out.type.encoding != Encoding::F32) continue;
    for (const float v : program.output_as<float>(out.name))
      if (!std::isfinite(v)) fail(ErrorCode::Internal, "stage '", name, "': output '", out.name, "' has ", v);
  }
  return all;
}

} // namespace

std::vector<float> bench_sound(uint32_t sample_rate_hz, size_t n_samples) {
  std::vector<float> samples(n_samples);
  Random random(1);
  double phase = 0;
  for (size_t i = 0; i < samples.size(); ++i) {
    const double t = double(i) / sample_rate_hz;
    phase += 2 * std::numbers::pi * (200 + 3000 * std::abs(std::sin(0.7 * t))) / sample_rate_hz;
    samples[i] =
        float(0.3 * std::sin(phase) * (0.5 + 0.5 * std::sin(5 * t)) + 0.02 * (random.uniform() - 0.5));
  }
  return samples;
}

BenchStage StageTimer::time(const std::string &name, const std::string &graph, const Bindings &sizes,
                            const std::set<std::string> &outputs,
                            const std::function<void(Program &)> &prepare) {
  if (options_.progress) options_.progress(name);
  BenchStage stage;
  stage.name = name;
  const auto begin = Clock::now();
  Program &program = session_.program(graph, sizes, outputs);
  prepare(program);
  session_.run(program, control_);
  stage.first_s = seconds_since(begin);
  const auto expected = check(program, stage.name);
  std::vector<double> seconds, gpu;
  for (uint32_t i = 0; i < options_.n_runs; ++i) {
    const auto run_begin = Clock::now();
    session_.run(program, control_);
    seconds.push_back(seconds_since(run_begin));
    double gpu_ns = 0;
    for (const DispatchProfile &row : program.profile()) gpu_ns += row.gpu_time_ns;
    gpu.push_back(gpu_ns * 1e-9);
    if (check(program, stage.name) != expected)
      fail(ErrorCode::Internal, "stage '", stage.name,
           "': two runs on the same input gave different results");
  }
  stage.median_s = median(seconds);
  stage.best_s = *std::min_element(seconds.begin(), seconds.end());
  stage.gpu_s = median(gpu);
  for (const Dispatch &d : program.plan().dispatches) stage.flops += d.flops;
  stage.weight_bytes = weight_bytes(program.plan());
  stage.n_dispatches = program.plan().dispatches.size();
  return stage;
}

} // namespace fovea
