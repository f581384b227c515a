// Canaries: what a device cannot have given rightly ends in an Error WrongResult, and not in a result. They
// look at what the loops read anyway. Pure; one thread per RepeatCanary.
#pragma once

#include "base/error.h"

#include <span>

namespace fovea {

/// Error WrongResult: "PATH: the device gave WHAT, which cannot be right: …".
[[noreturn]] void fail_wrong(const std::string &path, const std::string &what);
/// Fails unless all are finite. `what`: "an embedding with ".
void check_finite(const std::string &path, const char *what, std::span<const float> values);

/// Sees the likeliest token of each step: a device that gives constants gives the very same score, to the
/// bit, step after step, which a context that grows does not.
class RepeatCanary {
public:
  static constexpr uint32_t kSteps = 16;
  void reset() { n_same_ = 0; }
  void see(const std::string &path, float token, float score) {
    n_same_ = token == token_ && score == score_ ? n_same_ + 1 : 1;
    token_ = token;
    score_ = score;
    if (n_same_ >= kSteps) fail_repeated(path);
  }

private:
  [[noreturn]] void fail_repeated(const std::string &path) const;
  float token_ = -1, score_ = 0;
  uint32_t n_same_ = 0;
};

} // namespace fovea
