#include "check/checker.h"

namespace fovea::check {

void run_here(const std::shared_ptr<vk::Device> &device, std::span<const KernelCase> cases,
              const Verdicts &verdicts, const RunOptions &options) {
  CaseRunner runner(device, options.folder);
  for (size_t i = 0; i < cases.size(); ++i) {
    if (options.cancel && options.cancel->load()) fail(ErrorCode::Cancelled, "the check was cancelled");
    CaseResult result;
    try {
      const Verdicts::Attempt attempt(verdicts, cases[i].variants.at(0));
      result = runner.run(cases[i], options.n_timed, options.cancel);
    } catch (const Error &e) {
      if (e.code() != ErrorCode::DeviceLost) throw;
      result = {CaseResult::Outcome::Wrong, e.what(), 0, 0, 0};
      if (options.on_result) options.on_result(i, result);
      throw;
    }
    if (options.on_result) options.on_result(i, result);
  }
}

} // namespace fovea::check
