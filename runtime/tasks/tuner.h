// Tuner: measures, for every choice among kernels that a program's plan made, all that could have been
// chosen, on the program's own memory, and says which to prefer. What gives other results than the rest, or
// cannot run, is never preferred. What is preferred was faster than the default by more than the noise,
// twice: when all were measured, and against the default alone.
//
// One thread. Throws Internal when the default gives no result or two results, Cancelled, DeviceLost, and
// what KernelTimer throws. Rejected: whole plans against each other (as many as there are combinations), the
// fastest of one round (that of several equals is faster by luck).
#pragma once

#include "exec/kernel_timer.h"
#include "kernels/tuning.h"

#include <functional>

namespace fovea {

struct TuneOptions {
  KernelTimer::Options timer{0.01, 7, 0.3, 3, nullptr};
  bool in_use = false; // the default is what the device's table says, not what there is without one
  std::function<void(const std::string &what, size_t n_done, size_t n_total)> progress;
};

/// One variant of a choice.
struct MeasuredVariant {
  VariantId id;
  double ratio = 1;  // its time by the default's; of several rounds the largest
  double noise = 0;  // of the ratio
  std::string fault; // why it is out of the question, else empty
};

/// A choice at one shape.
struct MeasuredChoice {
  ChoiceKey key;
  std::string graph, statement, shapes;
  uint32_t n_dispatches = 0;
  double default_s = 0;                  // of one
  std::vector<MeasuredVariant> variants; // the default first
  double weight() const { return default_s * n_dispatches; }
  /// The fastest without a fault.
  const MeasuredVariant &best() const;
};

/// What of several choices of one key is to be preferred: the default (the first of each) unless another one
/// is faster in all by more than the noise. Pure.
VariantId preferred(std::span<const MeasuredChoice *const> choices);

class Tuner {
public:
  explicit Tuner(const TuneOptions &options) : options_(options) {}

  /// `program` has its inputs and has run; inputs and states are the same afterwards, scratch is not.
  void measure(Session &session, const Program &program);
  const std::vector<MeasuredChoice> &choices() const { return choices_; }
  /// Adds what was found to a table; keys that were measured and prefer their default leave it.
  void update(TuningTable &table) const;

private:
  void measure(Session &session, KernelTimer &timer, const Plan &plan, const DispatchWork &work,
               const struct DispatchGroup &group, std::vector<Dispatch> others);

  TuneOptions options_;
  std::vector<MeasuredChoice> choices_;
  std::set<std::string> seen_;
};

} // namespace fovea
