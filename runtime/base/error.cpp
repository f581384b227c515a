#include "base/error.h"

namespace fovea {
namespace {

constexpr size_t kMaxMessageBytes = 8192; // a path may have 4096

std::string one_line(const std::string &message) {
  static constexpr char kDigits[] = "0123456789abcdef";
  std::string out;
  for (const char c : message) {
    if (out.size() > kMaxMessageBytes) return out + " …";
    const auto byte = static_cast<unsigned char>(c);
    if (byte >= 0x20 && byte != 0x7F)
      out += c;
    else if (c == '\n')
      out += "\\n";
    else
      ((out += "\\x") += kDigits[byte >> 4]) += kDigits[byte & 15];
  }
  return out;
}

} // namespace

Error::Error(ErrorCode code, const std::string &message)
    : std::runtime_error(one_line(message)), code_(code) {}

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
  case ErrorCode::WrongResult: return "wrong result";
  }
  return "unknown error";
}

} // namespace fovea
