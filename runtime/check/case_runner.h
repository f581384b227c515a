// CaseRunner: runs a case on a device and compares what comes out with the scalar reference. What the case
// takes is drawn from a normal distribution, always the same; what it writes is poisoned with NaN before, and
// memory behind it is guarded.
//
// One thread. Throws what depends on the moment and not on a kernel: OutOfMemory, DeviceLost, Cancelled, Io
// (the tensors go through a temporary file, as weights do). Everything else is the case's fault.
#pragma once

#include "check/kernel_case.h"
#include "exec/session.h"

#include <atomic>

namespace fovea::check {

struct CaseResult {
  enum class Outcome : uint8_t { Right, Wrong, Unknown } outcome = Outcome::Unknown;
  std::string fault;             // why it is not right
  double error = 0, allowed = 0; // the largest, by value
  double seconds = 0;            // of a run, by the wall's clock; the least of a few
};

inline constexpr uint32_t kPoison = 0x7FE1DEADu; // a NaN
inline constexpr double kFactor =
    2; // beside what sums explain: exp() may lose 3 + 2 |x| units in the last place
/// Whether what lies behind the results is still poisoned.
bool guard_holds(std::span<const std::byte> arena);

class CaseRunner {
public:
  /// `folder` is where temporary files go; empty, or where nothing can be written: the system's.
  CaseRunner(std::shared_ptr<vk::Device> device, const std::string &folder);
  ~CaseRunner();
  CaseRunner(const CaseRunner &) = delete;
  CaseRunner &operator=(const CaseRunner &) = delete;

  /// `n_timed`: runs after the one that is compared.
  CaseResult run(const KernelCase &c, uint32_t n_timed = 0, const std::atomic<bool> *cancel = nullptr);

private:
  struct Expected;
  void prepare(const KernelCase &c);
  Session session(const KernelCase &c, const Expected &e) const;
  static void fill(Session &session, const Expected &e);
  HostTensors fill_states(const KernelCase &c, const Expected &e) const;
  CaseResult compare_with_reference(const KernelCase &c, uint32_t n_timed, const std::atomic<bool> *cancel);

  std::shared_ptr<vk::Device> device_;
  std::string path_;
  std::unique_ptr<Expected> expected_; // of the last case: its other variants take the same
};

} // namespace fovea::check
