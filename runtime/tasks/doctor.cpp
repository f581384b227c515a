#include "tasks/doctor.h"

#include "check/standard_cases.h"
#include "tasks/bench.h"

#include <algorithm>

namespace fovea {
namespace {

struct Candidate {
  check::KernelCase made;
  bool preferred = false;
};

void add(std::vector<Candidate> &out, check::KernelCase preferred, const DeviceCaps &caps) {
  std::vector<check::KernelCase> others = check::other_variants(preferred, caps);
  out.push_back({std::move(preferred), true});
  for (check::KernelCase &other : others) out.push_back({std::move(other), false});
}

std::vector<Candidate> of_standard_set(const DeviceCaps &caps) {
  std::vector<Candidate> out;
  for (check::KernelCase &c : check::standard_cases(caps)) add(out, std::move(c), caps);
  return out;
}

/// What the stages of the model's task run, each shape once.
std::vector<Candidate> of_model(const std::shared_ptr<vk::Device> &device, const std::string &path,
                                const DoctorOptions &options) {
  std::vector<Candidate> out;
  std::set<std::string> seen;
  BenchOptions wanted;
  wanted.n_runs = 1;
  wanted.model = options.model;
  wanted.cancel = options.cancel;
  wanted.measure = [&](Session &session, const Program &program) {
    const WeightLookup weights = [&](const std::string &name) { return session.model().find_weight(name); };
    const PlannedGraph planned{session.model().graph(program.plan().graph), program.plan(), weights,
                               device->caps()};
    const check::CaseMaker maker(planned);
    for (const uint32_t statement : maker.statements()) {
      std::optional<check::KernelCase> made =
          maker.make(statement, options.quick ? check::kSmallCase : check::kRealCase);
      if (!made) continue;
      std::string what = check::shapes_of(*made);
      for (const vk::KernelVariant &v : made->variants) what += " " + check::print_variant(v);
      if (seen.insert(what).second) add(out, std::move(*made), device->caps());
    }
  };
  bench(device, path, wanted);
  return out;
}

} // namespace

Examination examine(std::shared_ptr<vk::Device> device, check::Gate &gate, const std::string &model_path,
                    const DoctorOptions &options) {
  const std::vector<Candidate> candidates =
      model_path.empty() ? of_standard_set(device->caps()) : of_model(device, model_path, options);
  std::vector<check::KernelCase> cases;
  Examination out;
  for (const Candidate &c : candidates) {
    out.rows.push_back({c.made.title, check::shapes_of(c.made), c.made.variants, c.preferred, {}});
    cases.push_back(c.made);
  }
  const auto tell = [&](size_t next) {
    if (options.progress && next < cases.size())
      options.progress(vk::to_string(cases[next].variants[0]), next, cases.size());
  };
  tell(0);
  check::RunOptions how;
  how.cancel = options.cancel;
  how.n_timed = options.quick ? 0 : 3;
  how.on_result = [&](size_t index, const check::CaseResult &result) {
    out.rows[index].result = result;
    out.n_wrong += result.outcome == check::CaseResult::Outcome::Wrong;
    out.n_unknown += result.outcome == check::CaseResult::Outcome::Unknown;
    tell(index + 1);
  };
  gate.run(device, cases, how);
  return out;
}

} // namespace fovea
