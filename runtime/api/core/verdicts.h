// What the reports of fovea_doctor() and fovea_verify() say of a case alike.
#pragma once

#include "api/json.h"

#include "check/case_runner.h"

namespace fovea::api {

inline void write_kernels(JsonWriter &json, std::span<const vk::KernelVariant> kernels) {
  json.key("kernels").begin_array();
  for (const vk::KernelVariant &v : kernels) json.value(vk::to_string(v));
  json.end();
}

/// Members of the object that was begun: verdict, error, allowed, and fault where there is one.
inline void write_result(JsonWriter &json, const check::CaseResult &result) {
  using Outcome = check::CaseResult::Outcome;
  const char *const verdict = result.outcome == Outcome::Right   ? "right"
                              : result.outcome == Outcome::Wrong ? "wrong"
                                                                 : "unknown";
  json.member("verdict", verdict).member("error", result.error).member("allowed", result.allowed);
  if (!result.fault.empty()) json.member("fault", result.fault);
}

} // namespace fovea::api
