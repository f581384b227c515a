#include "tasks/plan_variants.h"

#include "kernels/tuning.h"

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
  for (Binding &mine : d.bindings)
    if (mine.space == Space::Weights || (mine.space == Space::State && mine.access == Access::Read))
      for (const Binding &b : other.bindings)
        if (b.slot == mine.slot) mine = b;
  return d;
}

bool same_memory(const Dispatch &a, const Dispatch &b) {
  const auto written = [](const Dispatch &d) {
    std::vector<std::pair<Space, uint64_t>> all;
    for (const Binding &binding : d.bindings)
      if (binding.access != Access::Read) all.emplace_back(binding.space, binding.offset);
    return all;
  };
  return a.statement == b.statement && written(a) == written(b);
}

} // namespace

std::vector<DispatchGroup> dispatch_groups(const Plan &plan) {
  const auto &all = plan.dispatches;
  std::vector<DispatchGroup> groups;
  std::vector<bool> counted(all.size());
  for (size_t i = 0; i < all.size(); ++i) {
    if (counted[i]) continue;
    DispatchGroup group{i, {}};
    for (size_t j = i; j < all.size(); ++j)
      if (!counted[j] && same_kernel(all[i], all[j])) {
        counted[j] = true;
        group.cycle.push_back(on_weights_of(all[i], all[j]));
      }
    groups.push_back(std::move(group));
  }
  return groups;
}

LaunchCycle cycle_of(const Dispatch &other, const LaunchCycle &cycle) {
  LaunchCycle out;
  for (const Dispatch &launch : cycle) out.push_back(on_weights_of(other, launch));
  return out;
}

PlanVariants::PlanVariants(const Session &session, const Plan &plan) : plan_(plan) {
  std::map<ChoiceKey, std::vector<VariantId>> all;
  size_t most = 0;
  for (const Dispatch &d : plan.dispatches) {
    if (d.among.size() < 2) continue;
    auto &variants = all[d.key];
    for (const VariantId &id : d.among)
      if (std::find(variants.begin(), variants.end(), id) == variants.end()) variants.push_back(id);
    most = std::max(most, variants.size());
  }
  for (size_t round = 0; round < most; ++round) {
    auto table = std::make_shared<TuningTable>();
    for (const auto &[key, variants] : all)
      if (round < variants.size()) table->rows[key] = variants[round];
    Plan other = session.plan_with(plan, std::move(table));
    if (other.dispatches.size() == plan.dispatches.size()) plans_.push_back(std::move(other));
  }
}

std::vector<Dispatch> PlanVariants::others(size_t i) const {
  const Dispatch &own = plan_.dispatches[i];
  std::vector<Dispatch> found;
  for (const VariantId &id : own.among) {
    if (id == own.variant()) continue;
    for (const Plan &plan : plans_) {
      const Dispatch &d = plan.dispatches[i];
      if (d.variant() != id || !same_memory(d, own)) continue;
      found.push_back(d);
      break;
    }
  }
  return found;
}

bool differs(std::span<const std::byte> got, std::span<const std::byte> expected) {
  if (got.size() != expected.size()) return true;
  double difference = 0, size = 0;
  for (size_t i = 0; i + 4 <= got.size(); i += 4) {
    float a, b;
    std::memcpy(&a, got.data() + i, 4);
    std::memcpy(&b, expected.data() + i, 4);
    if (!(std::abs(a) < 1e30f) || !(std::abs(b) < 1e30f)) continue; // halves, or what no one writes
    difference += double(a - b) * double(a - b);
    size += double(b) * double(b);
  }
  return difference > 1e-4 * size;
}

} // namespace fovea
