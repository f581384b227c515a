#include "check/gate.h"

#include "base/log.h"

#include <algorithm>
#include <utility>

namespace fovea::check {
namespace {

/// Shapes at which the same kernels are tried: a mistake may show at some of them alone.
constexpr size_t kMostShapes = 8;

} // namespace

Gate::Gate(const DeviceCaps &caps, const std::string &folder, GateOptions options)
    : folder_(folder), options_(std::move(options)), verdicts_(folder, caps) {}

bool Gate::is_settled(const vk::KernelVariant &variant) const {
  return unchecked_.contains(variant) || verdicts_.find(variant).has_value();
}

void Gate::collect(const PlannedGraph &planned) {
  std::set<vk::KernelVariant> missing;
  for (const Dispatch &d : planned.plan.dispatches)
    if (vk::KernelVariant v = kernel_variant(planned.caps, d); !is_settled(v)) missing.insert(std::move(v));
  if (missing.empty()) return;
  const CaseMaker maker(planned);
  std::set<std::string> seen; // layers are alike
  for (const uint32_t statement : maker.statements()) {
    const std::vector<vk::KernelVariant> variants = maker.variants(statement);
    if (std::none_of(variants.begin(), variants.end(), [&](const auto &v) { return missing.contains(v); }))
      continue;
    if (!seen.insert(maker.signature(statement)).second) continue;
    std::optional<KernelCase> made = maker.make(statement, kSmallCase);
    if (!made) continue;
    std::set<std::string> &shapes = expected_[variants];
    KernelCase untitled = *made;
    untitled.title.clear();
    if (shapes.size() < kMostShapes && shapes.insert(print_cases({&untitled, 1})).second)
      pending_.push_back(std::move(*made));
  }
  for (const auto &[variants, shapes] : expected_)
    for (const vk::KernelVariant &v : variants) missing.erase(v);
  for (const vk::KernelVariant &v : missing) {
    log(LogLevel::Info, "not checked: ", to_string(v), " runs in no case of its own");
    unchecked_.insert(v);
  }
}

bool Gate::expect(const PlannedGraph &planned) {
  const std::lock_guard lock(mutex_);
  collect(planned);
  return std::all_of(planned.plan.dispatches.begin(), planned.plan.dispatches.end(),
                     [&](const Dispatch &d) { return is_settled(kernel_variant(planned.caps, d)); });
}

void Gate::settle(const KernelCase &c, const CaseResult &result) {
  if (result.outcome == CaseResult::Outcome::Unknown) {
    log(LogLevel::Info, "not checked: ", c.title, ": ", result.fault);
    unchecked_.insert(c.variants.begin(), c.variants.end());
    return;
  }
  if (result.outcome == CaseResult::Outcome::Right) {
    for (const vk::KernelVariant &v : c.variants)
      if (!verdicts_.find(v)) verdicts_.set(v, {true, ""});
    return;
  }
  // Of several kernels, those that were right elsewhere are not to blame, unless all were.
  const auto is_right = [&](const vk::KernelVariant &v) {
    const auto known = verdicts_.find(v);
    return known && known->right;
  };
  const bool all_right = std::all_of(c.variants.begin(), c.variants.end(), is_right);
  for (const vk::KernelVariant &v : c.variants)
    if (all_right || !is_right(v)) verdicts_.set(v, {false, concat(c.title, ": ", result.fault)});
}

void Gate::run(const std::shared_ptr<vk::Device> &device, std::span<const KernelCase> cases,
               const RunOptions &options) {
  const std::lock_guard lock(mutex_);
  try_all(device, cases, options);
}

void Gate::try_all(const std::shared_ptr<vk::Device> &device, std::span<const KernelCase> cases,
                   const RunOptions &options) {
  RunOptions own = options;
  own.folder = folder_;
  own.patience = options_.patience;
  size_t n_done = 0;
  own.on_result = [&](size_t index, const CaseResult &result) {
    settle(cases[index], result);
    n_done = index + 1;
    if (options.on_result) options.on_result(index, result);
  };
  try {
    if (options_.mode == Mode::Child) {
      try {
        run_in_child(options_.program, *device, cases, own);
        device->pipeline_cache().merge_file(); // what the child compiled
        return verdicts_.save();
      } catch (const Error &e) {
        if (e.code() != ErrorCode::Unsupported && e.code() != ErrorCode::InvalidArgument) throw;
        log(LogLevel::Warning, "kernels are checked in this process: ", e.what());
      }
    }
    const size_t first = n_done;
    own.on_result = [&](size_t index, const CaseResult &result) {
      settle(cases[first + index], result);
      if (options.on_result) options.on_result(first + index, result);
    };
    run_here(device, cases.subspan(first), verdicts_, own);
  } catch (...) {
    verdicts_.save();
    throw;
  }
  verdicts_.save();
}

std::vector<vk::KernelFailure> Gate::admit(const std::shared_ptr<vk::Device> &device,
                                           const PlannedGraph &planned) {
  const std::lock_guard lock(mutex_);
  collect(planned);
  if (const std::vector<KernelCase> cases = std::exchange(pending_, {}); !cases.empty()) {
    expected_.clear();
    log(LogLevel::Info, "checking ", cases.size(), " kernels on ", device->name(), ", once for this driver");
    try {
      try_all(device, cases, {});
    } catch (const Error &e) {
      if (e.code() != ErrorCode::Io) throw; // nowhere to write to: no reason to do nothing
      log(LogLevel::Warning, "kernels are not checked: ", e.what());
      for (const KernelCase &c : cases) unchecked_.insert(c.variants.begin(), c.variants.end());
    }
  }
  std::vector<vk::KernelFailure> failures;
  std::set<KernelId> known;
  for (const Dispatch &d : planned.plan.dispatches) {
    const vk::KernelVariant v = kernel_variant(planned.caps, d);
    const std::optional<Verdict> verdict = verdicts_.find(v);
    if (verdict && !verdict->right && known.insert(v.id).second)
      failures.push_back(
          {v, Error(ErrorCode::Unsupported, concat("wrong on this device: ", verdict->fault))});
  }
  return failures;
}

} // namespace fovea::check
