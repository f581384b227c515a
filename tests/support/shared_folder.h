// Data for development that is not part of the repository: models, goldens, sound, in ../shared beside it.
// Users do not have it: a test that needs it says so and skips, except under CI=true, where that is a
// failure.
#pragma once

#include <cstdlib>
#include <doctest/doctest.h>
#include <filesystem>
#include <string>
#include <string_view>

namespace fovea::test {

/// The path of `name` in the shared folder, or "" (and a message, or a failure in CI) where it is not there.
inline std::string shared_path(const std::string &name) {
  const std::string path = std::string(FOVEA_SOURCE_DIR "/../shared/") + name;
  if (std::filesystem::exists(path)) return path;
  const char *ci = std::getenv("CI");
  if (ci && std::string_view(ci) == "true")
    FAIL("missing in CI: " << path);
  else
    MESSAGE("skipped: " << path << " is not here");
  return "";
}

} // namespace fovea::test
