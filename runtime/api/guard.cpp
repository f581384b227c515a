#include "api/guard.h"

#include <cstdlib>

namespace fovea::api {

fovea_status to_status(ErrorCode code) noexcept {
  switch (code) {
  case ErrorCode::InvalidArgument: return FOVEA_INVALID_ARGUMENT;
  case ErrorCode::InvalidFile: return FOVEA_INVALID_FILE;
  case ErrorCode::InvalidGraph: return FOVEA_INVALID_GRAPH;
  case ErrorCode::NotFound: return FOVEA_NOT_FOUND;
  case ErrorCode::Io: return FOVEA_IO;
  case ErrorCode::Unsupported: return FOVEA_UNSUPPORTED;
  case ErrorCode::OutOfMemory: return FOVEA_OUT_OF_MEMORY;
  case ErrorCode::NoDevice: return FOVEA_NO_DEVICE;
  case ErrorCode::DeviceLost: return FOVEA_DEVICE_LOST;
  case ErrorCode::Timeout: return FOVEA_TIMEOUT;
  case ErrorCode::Cancelled: return FOVEA_CANCELLED;
  case ErrorCode::WrongResult: return FOVEA_WRONG_RESULT;
  case ErrorCode::Internal: break;
  }
  return FOVEA_INTERNAL;
}

ErrorCode to_code(fovea_status status) noexcept {
  for (int i = 0; i <= int(ErrorCode::WrongResult); ++i)
    if (to_status(ErrorCode(i)) == status) return ErrorCode(i);
  return ErrorCode::Internal;
}

char *copy_text(std::string_view text) {
  auto *copy = static_cast<char *>(std::malloc(text.size() + 1));
  if (!copy) throw std::bad_alloc();
  std::memcpy(copy, text.data(), text.size());
  copy[text.size()] = '\0';
  return copy;
}

void report_progress(fovea_progress_fn progress, void *user, double done, double total) {
  if (progress && progress(user, done, total) != 0)
    fail(ErrorCode::Cancelled, "stopped by the progress callback");
}

} // namespace fovea::api
