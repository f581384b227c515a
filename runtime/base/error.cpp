#include "base/error.h"

namespace fovea {

const char *to_string(ErrorCode code) {
  switch (code) {
  case ErrorCode::InvalidArgument: return "invalid argument";
  case ErrorCode::InvalidFile: return "invalid file";
  case ErrorCode::InvalidGraph: return "invalid graph";
  case ErrorCode::NotFound: return "not found";
  case ErrorCode::Io: return "input/output error";
  case ErrorCode::Unsupported: return "unsupported";
  case ErrorCode::OutOfMemory: return "out of memory";
  case ErrorCode::NoDevice: return "no device";
  case ErrorCode::DeviceLost: return "device lost";
  case ErrorCode::Timeout: return "timeout";
  case ErrorCode::Cancelled: return "cancelled";
  case ErrorCode::Internal: return "internal error";
  }
  return "unknown error";
}

} // namespace fovea
