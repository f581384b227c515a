#include "tasks/canary.h"

#include <cmath>

namespace fovea {

void fail_wrong(const std::string &path, const std::string &what) {
  fail(ErrorCode::WrongResult, path, path.empty() ? "" : ": ", "the device gave ", what,
       ", which cannot be right: the file is damaged (try `fovea inspect --verify`) or the driver computes "
       "wrongly (`fovea doctor MODEL` shows which kernel, --safe runs with base kernels only)");
}

void check_finite(const std::string &path, const char *what, std::span<const float> values) {
  for (const float v : values)
    if (!std::isfinite(v)) fail_wrong(path, concat(what, v));
}

void RepeatCanary::fail_repeated(const std::string &path) const {
  fail_wrong(path, concat("token ", token_, " with score ", score_, " ", kSteps, " times in a row"));
}

} // namespace fovea
