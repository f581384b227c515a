// The tool as users run it, and models of ../shared for it.
#pragma once

#include "api/process.h"
#include "support/shared_folder.h"

#include <sstream>

namespace fovea::test {

inline Finished run_tool(const std::string &arguments, const std::string &before = "") {
  return run_command(std::string(before).append("'" FOVEA_TOOL "' ").append(arguments));
}

/// A model of ../shared, converted once a test program; quoted for the shell, "" where it is not there.
inline std::string tool_model(const std::string &name) {
  static const TempFolder folder;
  const std::string source = shared_path(name), path = folder / (name.substr(name.rfind('/') + 1) + ".gguf");
  if (source.empty() || std::filesystem::exists(path)) return source.empty() ? "" : quoted(path);
  const Finished f = run_tool("convert " + quoted(source) + " -o " + quoted(path) + " --encoding f32");
  REQUIRE_MESSAGE(f.exit_code == 0, f.err);
  return quoted(path);
}

inline std::vector<std::string> lines_of(const std::string &text) {
  std::vector<std::string> out;
  std::istringstream in(text);
  for (std::string line; std::getline(in, line);) out.push_back(line);
  return out;
}

/// One line on stderr that says `what`, nothing on stdout.
inline void check_tool_error(const std::string &arguments, int code, const std::string &what) {
  CAPTURE(arguments);
  const Finished f = run_tool(arguments);
  CHECK(f.exit_code == code);
  CHECK_MESSAGE(f.err.find(what) != std::string::npos, f.err);
  CHECK_MESSAGE(lines_of(f.err).size() == 1, f.err);
  CHECK(f.out.empty());
}

} // namespace fovea::test
