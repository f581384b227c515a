// Trying kernels before they are trusted: cases run one after the other, in this process or in a child, so
// that a driver that crashes or hangs on one leaves a verdict and not a dead application.
//
// run_*(): one thread at a time per device. Throw OutOfMemory, DeviceLost (here; the case's verdict is wrong
// by then), Cancelled.
#pragma once

#include "check/case_runner.h"
#include "check/verdicts.h"

namespace fovea::check {

struct RunOptions {
  std::string folder; // of temporary files and compiled pipelines; empty: the system's, and none
  std::chrono::seconds patience{0}; // of a child with one case; 0: 30 s, with a software driver 120
  uint32_t n_timed = 0;             // runs that are timed, after the one that is compared
  const std::atomic<bool> *cancel = nullptr;
  /// In the order of the cases, on the calling thread.
  std::function<void(size_t index, const CaseResult &result)> on_result{};
};

/// `verdicts` notes what was tried last, should this process end with it.
void run_here(const std::shared_ptr<vk::Device> &device, std::span<const KernelCase> cases,
              const Verdicts &verdicts, const RunOptions &options);

/// Starts `program` with the one argument kChildArgument, which must call serve(0, 1); again after each case
/// that it does not survive. Error Unsupported when it does not start, or does not answer as serve() does:
/// nothing was tried then.
void run_in_child(const std::string &program, const vk::Device &device, std::span<const KernelCase> cases,
                  const RunOptions &options);
inline constexpr const char *kChildArgument = "fovea-check";

/// The child's side: reads cases from one descriptor to its end, writes results to the other. The exit
/// status.
int serve(int in, int out) noexcept;

} // namespace fovea::check
