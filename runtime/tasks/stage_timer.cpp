#include "tasks/stage_timer.h"

#include "tasks/sampling.h"

#include <algorithm>
#include <cmath>
#include <numbers>

namespace fovea {
namespace {

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

const BenchStage &StageTimer::time(const std::string &name, const StageWork &work,
                                   const std::function<Program &()> &prepare) {
  if (options_.progress) options_.progress(name);
  BenchStage stage;
  stage.name = name;
  stage.work = work;
  WorkClock clock(session_.caps());
  Program &program = prepare();
  session_.run(program, control_);
  stage.first_s = clock.elapsed().wall;
  const auto expected = check(program, stage.name);
  std::vector<double> wall, cpu, gpu;
  for (uint32_t i = 0; i < options_.n_runs; ++i) {
    clock.start();
    session_.run(program, control_);
    const WorkClock::Seconds seconds = clock.elapsed();
    wall.push_back(seconds.wall);
    cpu.push_back(seconds.cpu);
    double gpu_ns = 0;
    for (const DispatchProfile &row : program.profile()) gpu_ns += row.gpu_time_ns;
    gpu.push_back(gpu_ns * 1e-9);
    if (check(program, stage.name) != expected)
      fail(ErrorCode::Internal, "stage '", stage.name,
           "': two runs on the same input gave different results");
  }
  stage.median_s = median(wall);
  stage.best_s = *std::min_element(wall.begin(), wall.end());
  if (clock.uses_cpu()) stage.cpu_s = median(cpu);
  stage.gpu_s = median(gpu);
  for (const DispatchWork &d : session_.work(program)) stage.flops += d.flops;
  stage.weight_bytes = weight_bytes(program.plan());
  stage.n_dispatches = program.plan().dispatches.size();
  if (report_.bounds) {
    if (options_.progress) options_.progress(concat("kernels of ", name));
    KernelBenchOptions wanted;
    wanted.alternatives = options_.variants;
    wanted.timer.cancel = options_.cancel;
    stage.kernels = time_kernels(session_, program, *report_.bounds, wanted);
  }
  return report_.stages.emplace_back(std::move(stage));
}

} // namespace fovea
