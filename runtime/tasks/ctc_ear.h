// CtcEar: the graph "window" of a CTC model as a function: sound to the most probable token of every frame.
//
// Owns its session. One thread. hear() throws what Session::run throws, and Internal for a token that is
// none.
#pragma once

#include "exec/session.h"
#include "tasks/ctc_words.h"
#include "tasks/profile_sum.h"

#include <atomic>

namespace fovea {

class CtcEar {
public:
  CtcEar(CtcSpec spec, Session session, bool profiling)
      : spec_(std::move(spec)), session_(std::move(session)), profiling_(profiling) {}

  const CtcSpec &spec() const { return spec_; }
  const Session &session() const { return session_; }
  std::vector<ProfileRow> profile() const { return profile_.rows(); }
  /// samples: at most spec().window_samples. A program is made for each number of them, and kept.
  std::vector<CtcFrame> hear(std::span<const float> samples, const std::atomic<bool> *cancel);

private:
  CtcSpec spec_;
  Session session_;
  bool profiling_;
  ProfileSum profile_;
};

} // namespace fovea
