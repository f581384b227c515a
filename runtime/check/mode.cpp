#include "check/make_gate.h"

#include <cstdlib>

namespace fovea::check {

std::optional<Mode> mode_from_environment(bool has_program) {
  const char *value = std::getenv("FOVEA_CHECK");
  const std::string_view text = value ? value : "";
  if (text.empty()) return has_program ? Mode::Child : Mode::Here;
  if (text == "child") return Mode::Child;
  if (text == "here") return Mode::Here;
  if (text == "skip") return std::nullopt;
  fail(ErrorCode::InvalidArgument, "FOVEA_CHECK is '", text, "', expected child, here or skip");
}

} // namespace fovea::check
