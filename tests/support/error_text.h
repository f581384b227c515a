// What a call's Error says.
#pragma once

#include "base/error.h"

#include <string>

namespace fovea::test {

/// "no error" when it throws none; what else it throws passes through.
template <class Call> std::string error_text(Call &&call) {
  try {
    call();
  } catch (const Error &error) {
    return error.what();
  }
  return "no error";
}

} // namespace fovea::test
