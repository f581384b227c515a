#include "tasks/kernel_bench.h"

#include <algorithm>
#include <cmath>
#include <cstring>

namespace fovea {
namespace {

bool same_kernel(const Dispatch &a, const Dispatch &b) {
  const auto same_binding = [](const Binding &x, const Binding &y) {
    return x.slot == y.slot && x.space == y.space && x.bytes == y.bytes && x.access == y.access;
  };
  return a.kernel == b.kernel && a.spec == b.spec && a.push == b.push && a.groups == b.groups &&
         a.flops == b.flops &&
         std::equal(a.bindings.begin(), a.bindings.end(), b.bindings.begin(), b.bindings.end(), same_binding);
}

/// `d` on the weights, and the caches that it only reads, of `other`.
Dispatch on_weights_of(Dispatch d, const Dispatch &other) {
  for (size_t i = 0; i < d.bindings.size(); ++i)
    if (d.bindings[i].space == Space::Weights ||
        (d.bindings[i].space == Space::State && d.bindings[i].access == Access::Read))
      d.bindings[i] = other.bindings[i];
  return d;
}

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
    const auto &all = plan_.dispatches;
    std::vector<bool> counted(all.size());
    size_t done = 0;
    for (size_t i = 0; i < all.size(); ++i) {
      if (counted[i]) continue;
      LaunchCycle cycle;
      KernelRow row;
      for (size_t j = i; j < all.size(); ++j)
        if (!counted[j] && same_kernel(all[i], all[j])) {
          counted[j] = true;
          ++row.n_dispatches;
          cycle.push_back(on_weights_of(all[i], all[j]));
        }
      timer_.run(std::span(all).subspan(done, i - done)); // so that its inputs are what they are in a run
      measure(i, std::move(cycle), row);
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
    if (options_.alternatives) add_alternatives(d, cycles);
    for (size_t k = 1; k < cycles.size(); ++k)
      compare(timer_.check(cycles[k][0], work_[i], name(to_string(cycles[k][0].kernel))), expected,
              name(to_string(cycles[k][0].kernel)));
    const std::vector<KernelTime> times = timer_.time(cycles);
    before.restore();
    row.time = times[0];
    for (size_t k = 1; k < cycles.size(); ++k)
      row.alternatives.push_back({to_string(cycles[k][0].kernel), times[k]});
    const uint64_t touched = working_set(cycles[0], row.time.n_launches, row.bytes);
    row.bound_s = bounds_.seconds(row.bytes, row.flops, touched);
    row.memory_bound = double(row.bytes) / bounds_.bytes_per_s(touched) >= row.bound_s;
  }

  /// The other kernels that selection admits for a dispatch, where each does all of it by itself.
  void add_alternatives(const Dispatch &d, std::vector<LaunchCycle> &cycles) const {
    std::set<uint32_t> disabled;
    const auto of_statement = [&](const Plan &plan) {
      std::vector<const Dispatch *> found;
      for (const Dispatch &other : plan.dispatches)
        if (other.statement == d.statement) found.push_back(&other);
      return found;
    };
    if (!work_[size_t(&d - plan_.dispatches.data())].sole) return;
    for (uint32_t kernel = uint32_t(d.kernel);;) {
      disabled.insert(kernel);
      Plan plan;
      try {
        plan = session_.plan_without(plan_, disabled);
      } catch (const Error &e) {
        if (e.code() == ErrorCode::Unsupported) return; // none is left
        throw;
      }
      const auto found = of_statement(plan);
      if (found.size() != 1 || found[0]->bindings != d.bindings) return;
      kernel = uint32_t(found[0]->kernel);
      LaunchCycle cycle;
      for (const Dispatch &launch : cycles[0]) cycle.push_back(on_weights_of(*found[0], launch));
      cycles.push_back(std::move(cycle));
    }
  }

  /// Both do the same sums in another order.
  static void compare(std::span<const std::byte> got, std::span<const std::byte> expected,
                      const std::string &what) {
    double difference = 0, size = 0;
    for (size_t i = 0; i + 4 <= got.size(); i += 4) {
      float a, b;
      std::memcpy(&a, got.data() + i, 4);
      std::memcpy(&b, expected.data() + i, 4);
      if (!(std::abs(a) < 1e30f) || !(std::abs(b) < 1e30f)) continue; // halves, or what no one writes
      difference += double(a - b) * double(a - b);
      size += double(b) * double(b);
    }
    if (difference > 1e-4 * size)
      fail(ErrorCode::Internal, what, ": gives something else than the kernel that is chosen");
  }

  Session &session_;
  const Plan &plan_;
  const DeviceBounds &bounds_;
  const KernelBenchOptions &options_;
  std::vector<DispatchWork> work_;
  KernelTimer timer_;
  std::vector<KernelRow> rows_;
};

} // namespace

std::vector<KernelRow> time_kernels(Session &session, const Program &program, const DeviceBounds &bounds,
                                    const KernelBenchOptions &options) {
  return KernelBench(session, program, bounds, options).run();
}

} // namespace fovea
