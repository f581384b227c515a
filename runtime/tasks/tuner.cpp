#include "tasks/tuner.h"

#include "tasks/plan_variants.h"

#include <algorithm>
#include <cmath>

namespace fovea {
namespace {

/// What counts as equal however quiet the machine is.
constexpr double kLeastNoise = 0.02;

struct Ratio {
  double median = 1, noise = kLeastNoise;
};

/// Turn by turn, so that what else the machine does is in both.
Ratio ratio_of(const KernelTime &time, const KernelTime &base) {
  std::vector<double> ratios;
  for (size_t i = 0; i < std::min(time.samples_s.size(), base.samples_s.size()); ++i)
    ratios.push_back(time.samples_s[i] / base.samples_s[i]);
  std::sort(ratios.begin(), ratios.end());
  if (ratios.empty()) return {};
  const size_t last = ratios.size() - 1;
  const double spread = ratios[last - last / 4] - ratios[last / 4]; // between the quartiles
  return {median(ratios), std::max(kLeastNoise, spread / 2)};
}

bool is_fatal(ErrorCode code) {
  return code == ErrorCode::DeviceLost || code == ErrorCode::Cancelled || code == ErrorCode::OutOfMemory ||
         code == ErrorCode::Timeout;
}

} // namespace

const MeasuredVariant &MeasuredChoice::best() const {
  const MeasuredVariant *best = &variants.front();
  for (const MeasuredVariant &v : variants)
    if (v.fault.empty() && v.ratio < best->ratio) best = &v;
  return *best;
}

VariantId preferred(std::span<const MeasuredChoice *const> choices) {
  const VariantId own = choices[0]->variants[0].id;
  VariantId best = own;
  double best_gain = 0;
  for (const MeasuredVariant &candidate : choices[0]->variants) {
    double gain = 0, noise = 0;
    bool good = candidate.id != own;
    for (const MeasuredChoice *choice : choices) {
      const auto &all = choice->variants;
      const auto it =
          std::find_if(all.begin(), all.end(), [&](const auto &v) { return v.id == candidate.id; });
      if (it == all.end()) continue; // not admissible at this shape: its default runs
      good = good && it->fault.empty() && it->ratio < 1 + it->noise;
      gain += choice->weight() * (1 - it->ratio);
      noise += choice->weight() * it->noise;
    }
    if (good && gain > noise && gain > best_gain) best = candidate.id, best_gain = gain;
  }
  return best;
}

void Tuner::measure(Session &session, const Program &program) {
  const Plan plan = options_.in_use ? program.plan() : session.plan_with(program.plan(), nullptr);
  const std::vector<DispatchWork> work = session.work(program);
  // One has a norm within a product, the other by itself: nothing to compare one by one.
  if (work.size() != plan.dispatches.size()) return;
  KernelTimer timer(session, program, options_.timer);
  const PlanVariants variants(session, plan);
  const std::vector<DispatchGroup> groups = dispatch_groups(plan);
  size_t done = 0;
  for (size_t g = 0; g < groups.size(); ++g) {
    const size_t first = groups[g].first;
    const Dispatch &d = plan.dispatches[first];
    if (d.among.size() < 2) continue;
    const std::string statement = plan.statement_text[d.statement];
    if (options_.progress) options_.progress(concat(plan.graph, ": ", statement), g, groups.size());
    // Two slices of a matrix are two statements' worth; what they give by themselves is still compared.
    std::string seen = concat(to_string(d.kernel), " ", work[first].shapes, " ", work[first].flops);
    for (const uint32_t constant : d.spec) seen += concat(" ", constant);
    for (const uint32_t n : d.groups) seen += concat(" ", n);
    if (!seen_.insert(seen).second) continue;
    std::vector<Dispatch> others = variants.others(first);
    if (others.empty()) continue;
    // So that its inputs are what they are in a run.
    timer.run(std::span(plan.dispatches).subspan(done, first - done));
    done = first;
    measure(session, timer, plan, work[first], groups[g], std::move(others));
  }
}

void Tuner::measure(Session &session, KernelTimer &timer, const Plan &plan, const DispatchWork &work,
                    const DispatchGroup &group, std::vector<Dispatch> others) {
  const Dispatch &d = plan.dispatches[group.first];
  MeasuredChoice choice{d.key,
                        plan.graph,
                        plan.statement_text[d.statement],
                        work.shapes,
                        uint32_t(group.cycle.size()),
                        0,
                        {{d.variant(), 1, 0, ""}}};
  const auto name = [&](const Dispatch &which) {
    return concat("graph '", plan.graph, "', ", choice.statement, ", ", to_string(which.variant()));
  };
  const KeptRanges before(session, d);
  const std::vector<std::byte> expected = timer.check(d, work, name(d));
  std::vector<LaunchCycle> cycles{group.cycle};
  std::vector<size_t> measured{0}; // which variant each cycle is
  for (const Dispatch &other : others) {
    choice.variants.push_back({other.variant(), 1, 0, ""});
    try {
      if (differs(timer.check(other, work, name(other)), expected))
        fail(ErrorCode::Internal, name(other), ": gives something else than ", to_string(d.variant()));
      measured.push_back(choice.variants.size() - 1);
      cycles.push_back(cycle_of(other, group.cycle));
    } catch (const Error &e) {
      if (is_fatal(e.code())) throw;
      choice.variants.back().fault = e.what();
    }
  }
  const std::vector<KernelTime> times = timer.time(cycles);
  choice.default_s = times[0].median_s;
  size_t best = 0;
  for (size_t i = 1; i < cycles.size(); ++i) {
    const Ratio ratio = ratio_of(times[i], times[0]);
    MeasuredVariant &v = choice.variants[measured[i]];
    v.ratio = ratio.median;
    v.noise = ratio.noise;
    if (best == 0 ? v.ratio < 1 : v.ratio < choice.variants[measured[best]].ratio) best = i;
  }
  // The best of several is the best by luck, too: once more, against the default alone.
  if (MeasuredVariant &v = choice.variants[measured[best]]; best > 0 && v.ratio < 1 - v.noise) {
    const std::vector<LaunchCycle> both{cycles[0], cycles[best]};
    const std::vector<KernelTime> again = timer.time(both);
    const Ratio ratio = ratio_of(again[1], again[0]);
    v.ratio = std::max(v.ratio, ratio.median);
    v.noise = std::max(v.noise, ratio.noise);
  }
  before.restore();
  choices_.push_back(std::move(choice));
}

void Tuner::update(TuningTable &table) const {
  std::map<ChoiceKey, std::vector<const MeasuredChoice *>> by_key;
  for (const MeasuredChoice &choice : choices_) by_key[choice.key].push_back(&choice);
  for (const auto &[key, choices] : by_key) {
    const VariantId variant = preferred(choices);
    if (variant == choices[0]->variants[0].id)
      table.rows.erase(key);
    else
      table.rows[key] = variant;
  }
}

} // namespace fovea
