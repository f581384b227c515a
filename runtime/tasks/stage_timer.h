// StageTimer: runs a program, checks its outputs and times it. For bench.cpp. One thread. Throws Internal
// when an output is not finite or differs between two runs, and what Session throws.
#pragma once

#include "tasks/bench.h"

#include <chrono>

namespace fovea {

/// Seconds since `begin`.
inline double seconds_since(std::chrono::steady_clock::time_point begin) {
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
}

/// Sweeping tones under noise: something in every mel band, the same everywhere.
std::vector<float> bench_sound(uint32_t sample_rate_hz, size_t n_samples);

class StageTimer {
public:
  /// Both must outlive the timer.
  StageTimer(Session &session, const BenchOptions &options) : session_(session), options_(options) {
    control_.cancel = options.cancel;
  }

  /// Runs a program that `prepare` fills, and checks what it gives.
  BenchStage time(const std::string &name, const std::string &graph, const Bindings &sizes,
                  const std::set<std::string> &outputs, const std::function<void(Program &)> &prepare);

private:
  Session &session_;
  const BenchOptions &options_;
  RunControl control_;
};

} // namespace fovea
