// Gate: the KernelGate that tries kernels, each once per device, driver and version of the kernel: before a
// session first uses one that no verdict is stored for, it is run on a small case of the work at hand and
// compared with the scalar reference. Thread-safe; a second session waits for the verdicts of the first.
#pragma once

#include "check/checker.h"
#include "check/make_gate.h"

namespace fovea::check {

class Gate final : public KernelGate {
public:
  /// `caps`: the device's as the driver says: what it pretends to be does not change what kernels do.
  Gate(const DeviceCaps &caps, const std::string &folder, GateOptions options);

  bool expect(const PlannedGraph &planned) override;
  std::vector<vk::KernelFailure> admit(const std::shared_ptr<vk::Device> &device,
                                       const PlannedGraph &planned) override;
  Verdicts &verdicts() { return verdicts_; }

  /// Runs cases as the options say and stores what comes out.
  void run(const std::shared_ptr<vk::Device> &device, std::span<const KernelCase> cases,
           const RunOptions &options);

private:
  void collect(const PlannedGraph &planned);
  bool is_settled(const vk::KernelVariant &variant) const;
  void try_all(const std::shared_ptr<vk::Device> &device, std::span<const KernelCase> cases,
               const RunOptions &options);
  void settle(const KernelCase &c, const CaseResult &result);

  const std::string folder_;
  const GateOptions options_;
  Verdicts verdicts_;
  std::mutex mutex_; // guards what follows, and tries one case at a time
  std::vector<KernelCase> pending_;
  /// Of the pending cases: their text, by the kernels that they run.
  std::map<std::vector<vk::KernelVariant>, std::set<std::string>> expected_;
  std::set<vk::KernelVariant> unchecked_; // nothing could be found out
};

} // namespace fovea::check
