#include "tasks/stage_timer.h"

#include "format/checksum.h"
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

/// All outputs are finite; adds them to `sum`.
void check(const Program &program, const std::string &name, Checksum &sum) {
  for (const PlanValue &out : program.plan().outputs) {
    sum.update(program.output(out.name));
    if (out.type.encoding != Encoding::F32) continue;
    for (const float v : program.output_as<float>(out.name))
      if (!std::isfinite(v)) fail(ErrorCode::Internal, "stage '", name, "': output '", out.name, "' has ", v);
  }
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

struct StageTimer::Once {
  double wall_s = 0, cpu_s = 0, gpu_s = 0;
  Checksum outputs; // of all parts
  Program *last = nullptr;
};

/// `count`: the run is the first, programs are made within its time, and what they must do is added up there.
StageTimer::Once StageTimer::run_once(const std::string &name, uint32_t n_parts,
                                      const std::function<Program &(uint32_t part)> &prepare,
                                      BenchStage *count) {
  Once once;
  WorkClock clock(session_.caps());
  for (uint32_t part = 0; part < n_parts; ++part) {
    clock.start();
    Program &program = prepare(part);
    if (!count) clock.start();
    session_.run(program, control_);
    const WorkClock::Seconds seconds = clock.elapsed();
    once.wall_s += seconds.wall;
    once.cpu_s += seconds.cpu;
    for (const DispatchProfile &row : program.profile()) once.gpu_s += row.gpu_time_ns * 1e-9;
    check(program, name, once.outputs);
    once.last = &program;
    if (!count) continue;
    const std::vector<DispatchWork> work = session_.work(program);
    const Plan &plan = program.plan();
    for (size_t i = 0; i < work.size(); ++i) {
      const std::string &statement = plan.statement_text[plan.dispatches[i].statement];
      StatementWork &op = count->ops[statement.substr(0, statement.find(' '))];
      op.flops += work[i].flops;
      op.bytes += work[i].bytes;
      count->flops += work[i].flops;
    }
    count->weight_bytes += weight_bytes(plan);
    count->n_dispatches += plan.dispatches.size();
  }
  return once;
}

const BenchStage &StageTimer::time_parts(const std::string &name, const StageWork &work, uint32_t n_parts,
                                         const std::function<Program &(uint32_t part)> &prepare) {
  if (options_.progress) options_.progress(name);
  BenchStage stage;
  stage.name = name;
  stage.work = work;
  const Once first = run_once(name, n_parts, prepare, &stage);
  stage.first_s = first.wall_s;
  if (options_.measure) {
    options_.measure(session_, *first.last);
    return report_.stages.emplace_back(std::move(stage));
  }
  std::vector<double> wall, cpu, gpu;
  Program *last = nullptr;
  for (uint32_t i = 0; i < options_.n_runs; ++i) {
    const Once once = run_once(name, n_parts, prepare, nullptr);
    wall.push_back(once.wall_s);
    cpu.push_back(once.cpu_s);
    gpu.push_back(once.gpu_s);
    last = once.last;
    if (once.outputs.value() != first.outputs.value())
      fail(ErrorCode::Internal, "stage '", stage.name,
           "': two runs on the same input gave different results");
  }
  stage.median_s = median(wall);
  stage.best_s = *std::min_element(wall.begin(), wall.end());
  if (WorkClock(session_.caps()).uses_cpu()) stage.cpu_s = median(cpu);
  stage.gpu_s = median(gpu);
  if (report_.bounds) {
    if (options_.progress) options_.progress(concat("kernels of ", name));
    KernelBenchOptions wanted;
    wanted.alternatives = options_.variants;
    wanted.timer.cancel = options_.cancel;
    stage.kernels = time_kernels(session_, *last, *report_.bounds, wanted);
  }
  return report_.stages.emplace_back(std::move(stage));
}

} // namespace fovea
