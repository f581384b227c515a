#include "tasks/ctc_ear.h"

#include "tasks/canary.h"

#include <algorithm>

namespace fovea {

std::vector<CtcFrame> CtcEar::hear(std::span<const float> samples, const std::atomic<bool> *cancel) {
  const uint64_t n_frames = spec_.n_frames(samples.size());
  if (n_frames == 0) return {}; // too short for a frame: nothing can be heard in it
  Program &program = session_.program("window", {{"N", samples.size()}});
  program.set_input("window", samples);
  RunControl control;
  control.cancel = cancel;
  session_.run(program, control);
  if (profiling_) profile_.add(program);
  const auto pairs = program.output_as<float>("best");
  const size_t n_candidates = pairs.size() / (2 * n_frames);
  std::vector<CtcFrame> frames;
  for (size_t i = 0; i < pairs.size(); i += search_ ? 2 : 2 * n_candidates) {
    // Not a number fails both comparisons.
    if (!(pairs[i] <= 1.0f) || !(pairs[i + 1] >= 0 && pairs[i + 1] < float(spec_.tokens.size())))
      fail_wrong(session_.model().path(), concat("token ", pairs[i + 1], " with log-probability ", pairs[i],
                                                 " where ", spec_.tokens.size(), " tokens have texts"));
    frames.push_back({int32_t(pairs[i + 1]), std::min(pairs[i], 0.0f)});
  }
  return search_ ? search_->run(frames, n_candidates) : frames;
}

} // namespace fovea
