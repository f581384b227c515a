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
                         const std::function<Program &()> &prepare);

private:
  Session &session_;
  const BenchOptions &options_;
  BenchReport &report_;
  RunControl control_;
};

} // namespace fovea
