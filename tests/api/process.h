// Runs a program and keeps what it says: for tests of the tool and of what is installed.
#pragma once

#include "support/temp_folder.h"

#include <cstdio>
#include <doctest/doctest.h>
#include <sys/wait.h>

namespace fovea::test {

struct Finished {
  int exit_code = -1; // 128 + the signal's number when one ended it
  std::string out, err;
};

/// In single quotes, for the shell: no path of the tests has any in it.
inline std::string quoted(const std::string &path) {
  std::string text(1, '\'');
  return text.append(path).append(1, '\'');
}

/// `command` is a line for the shell.
inline Finished run_command(const std::string &command) {
  const TempFolder folder;
  const std::string out = folder / "out", err = folder / "err";
  const int status = std::system(std::string("( ")
                                     .append(command)
                                     .append(" ) >")
                                     .append(quoted(out))
                                     .append(" 2>")
                                     .append(quoted(err))
                                     .c_str());
  Finished finished{WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status), read_file(out),
                    read_file(err)};
  // With FOVEA_VALIDATION=1. What it reports has a name in the text with some versions of the layer only.
  CHECK_MESSAGE(finished.err.find("error: Vulkan validation: ") == std::string::npos, command, "\n",
                finished.err);
  return finished;
}

} // namespace fovea::test
