// KernelTimer: how long a dispatch takes by itself, on the memory that a session's plan gives it: launched
// again and again with a barrier after each, often enough for the clock; the median of several repetitions.
// Alternatives (other kernels for the same work) take turns, so that what else the machine does meets all.
//
// One thread; the session and the program must outlive it, and the session must make no larger arena. What
// the dispatches write is left in memory: see KeptRanges. Throws Internal when outputs fail their check, and
// what Program throws.
#pragma once

#include "exec/session.h"
#include "exec/work_clock.h"

namespace fovea {

/// Of one launch, by WorkClock's cpu (the wall's clock unless the driver is software), in seconds.
struct KernelTime {
  double median_s = 0, best_s = 0;
  double wall_s = 0;             // median by the wall's clock
  uint32_t n_launches = 0;       // in each repetition
  std::vector<double> samples_s; // by repetition; alternatives take turns, so that those of one turn compare
};

/// A dispatch as it is launched in turn: the same kernel at one shape on different weights, say. At least
/// one.
using LaunchCycle = std::vector<Dispatch>;

/// What dispatches write, to be put back after they have run. Restores nothing by itself.
class KeptRanges {
public:
  KeptRanges(Session &session, const Dispatch &dispatch);
  void restore() const;

private:
  Session &session_;
  std::vector<std::pair<Binding, std::vector<std::byte>>> kept_;
};

class KernelTimer {
public:
  struct Options {
    double repetition_s = 0.02; // about
    uint32_t n_repetitions = 7;
    double most_s = 0.5; // of all repetitions of one alternative, once there are three
    double give_up = 0;  // alternatives that take so many times as long as the first are timed once; 0: none
    const std::atomic<bool> *cancel = nullptr;
  };
  /// `program`: whose inputs and steps the dispatches see.
  KernelTimer(Session &session, const Program &program, const Options &options);

  /// Runs dispatches once, in order, with their own barriers.
  void run(std::span<const Dispatch> dispatches);
  /// Runs one twice over poisoned outputs and gives what it wrote. Error Internal, which begins with `what`,
  /// when nothing was written, a number is not finite or the second run gives something else. What it both
  /// reads and writes is as it was before.
  std::vector<std::byte> check(const Dispatch &dispatch, const DispatchWork &work, const std::string &what);
  /// In the order of the alternatives.
  std::vector<KernelTime> time(std::span<const LaunchCycle> alternatives);

private:
  Program program_of(std::span<const Dispatch> dispatches, size_t n_launches, bool barriers) const;

  Session &session_;
  const Program &given_;
  Options options_;
  RunControl control_;
};

} // namespace fovea
