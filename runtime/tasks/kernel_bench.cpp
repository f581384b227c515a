#include "tasks/kernel_bench.h"

#include "kernels/tuning.h"
#include "tasks/plan_variants.h"

#include <algorithm>
#include <cmath>
#include <cstring>

namespace fovea {
namespace {

/// Bytes that n launches of a cycle touch, of which each touches `bytes_each`.
uint64_t working_set(const LaunchCycle &cycle, size_t n_launches, uint64_t bytes_each) {
  std::set<std::pair<Space, uint64_t>> distinct;
  for (size_t i = 0; i < std::min(cycle.size(), n_launches); ++i)
    for (const Binding &b : cycle[i].bindings)
      if (b.space == Space::Weights || (b.space == Space::State && b.access == Access::Read)) {
        distinct.emplace(b.space, b.offset);
        break;
      }
  return bytes_each * std::max<size_t>(1, distinct.size());
}

class KernelBench {
public:
  KernelBench(Session &session, const Program &program, const DeviceBounds &bounds,
              const KernelBenchOptions &options)
      : session_(session), plan_(program.plan()), bounds_(bounds), options_(options),
        work_(session.work(program)), timer_(session, program, options.timer) {}

  std::vector<KernelRow> run() {
    if (options_.alternatives) variants_.emplace(session_, plan_);
    size_t done = 0;
    for (DispatchGroup &group : dispatch_groups(plan_)) {
      const size_t i = group.first;
      KernelRow row;
      row.n_dispatches = uint32_t(group.cycle.size());
      // So that its inputs are what they are in a run.
      timer_.run(std::span(plan_.dispatches).subspan(done, i - done));
      measure(i, std::move(group.cycle), row);
      done = i;
      rows_.push_back(std::move(row));
    }
    double sum = 0;
    for (const KernelRow &row : rows_) sum += row.time.median_s * row.n_dispatches;
    for (KernelRow &row : rows_) row.share = sum > 0 ? row.time.median_s * row.n_dispatches / sum : 0;
    std::stable_sort(rows_.begin(), rows_.end(),
                     [](const KernelRow &a, const KernelRow &b) { return a.share > b.share; });
    return std::move(rows_);
  }

private:
  void measure(size_t i, LaunchCycle cycle, KernelRow &row) {
    const Dispatch &d = plan_.dispatches[i];
    row.statement = plan_.statement_text[d.statement];
    row.kernel = to_string(d.kernel);
    row.shapes = work_[i].shapes;
    row.flops = work_[i].flops;
    row.bytes = work_[i].bytes;
    const auto name = [&](const char *kernel) {
      return concat("graph '", plan_.graph, "', ", row.statement, ", ", kernel);
    };
    const KeptRanges before(session_, d);
    const std::vector<std::byte> expected = timer_.check(d, work_[i], name(row.kernel.c_str()));
    std::vector<LaunchCycle> cycles{std::move(cycle)};
    if (options_.alternatives && work_[i].sole)
      for (const Dispatch &other : variants_->others(i)) cycles.push_back(cycle_of(other, cycles[0]));
    for (size_t k = 1; k < cycles.size(); ++k) {
      const std::string what = name(to_string(cycles[k][0].variant()).c_str());
      if (differs(timer_.check(cycles[k][0], work_[i], what), expected))
        fail(ErrorCode::Internal, what, ": gives something else than the kernel that is chosen");
    }
    const std::vector<KernelTime> times = timer_.time(cycles);
    before.restore();
    row.time = times[0];
    for (size_t k = 1; k < cycles.size(); ++k)
      row.alternatives.push_back({to_string(cycles[k][0].variant()), times[k]});
    const uint64_t touched = working_set(cycles[0], row.time.n_launches, row.bytes);
    row.bound_s = bounds_.seconds(row.bytes, row.flops, touched);
    row.memory_bound = double(row.bytes) / bounds_.bytes_per_s(touched) >= row.bound_s;
  }

  Session &session_;
  const Plan &plan_;
  const DeviceBounds &bounds_;
  const KernelBenchOptions &options_;
  std::vector<DispatchWork> work_;
  KernelTimer timer_;
  std::optional<PlanVariants> variants_;
  std::vector<KernelRow> rows_;
};

} // namespace

std::vector<KernelRow> time_kernels(Session &session, const Program &program, const DeviceBounds &bounds,
                                    const KernelBenchOptions &options) {
  return KernelBench(session, program, bounds, options).run();
}

} // namespace fovea
