// StageTimer: runs programs, checks their outputs, times them and adds them to a report. For bench.cpp. One
// thread. Throws Internal when an output is not finite or differs between two runs, and what Session throws.
#pragma once

#include "exec/work_clock.h"
#include "tasks/bench.h"

namespace fovea {

/// Sweeping tones under noise: something in every mel band, the same everywhere.
std::vector<float> bench_sound(uint32_t sample_rate_hz, size_t n_samples);

class StageTimer {
public:
  /// All must outlive the timer.
  StageTimer(Session &session, const BenchOptions &options, BenchReport &report)
      : session_(session), options_(options), report_(report) {
    control_.cancel = options.cancel;
  }

  /// `prepare` gives the program, its inputs and steps set.
  const BenchStage &time(const std::string &name, const StageWork &work,
                         const std::function<Program &()> &prepare) {
    return time_parts(name, work, 1, [&](uint32_t) -> Program & { return prepare(); });
  }
  /// A stage of several programs, one after the other: `prepare` gives each when the one before it has run.
  /// Kernels are those of the last.
  const BenchStage &time_parts(const std::string &name, const StageWork &work, uint32_t n_parts,
                               const std::function<Program &(uint32_t part)> &prepare);

private:
  struct Once;
  Once run_once(const std::string &name, uint32_t n_parts,
                const std::function<Program &(uint32_t part)> &prepare, BenchStage *count);

  Session &session_;
  const BenchOptions &options_;
  BenchReport &report_;
  RunControl control_;
};

} // namespace fovea
