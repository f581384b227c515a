// The only type Fovea throws.
//
// Owns: an error code and one line of text that names the file, tensor or op at fault, what was expected
// and what was found. Thread-safety: a value. Anything that comes from a file or a user ends in an Error,
// never in an assert; `api/` is the only place that catches.
// Rejected: error codes as return values (every caller would forward them), several exception types (callers
// branch on the code alone).
#pragma once

#include <charconv>
#include <stdexcept>
#include <string>
#include <string_view>
#include <type_traits>

namespace fovea {

enum class ErrorCode {
  InvalidArgument, // the caller's or the user's argument is wrong
  InvalidFile,     // a file's contents are malformed, truncated or inconsistent
  InvalidGraph,    // a graph's text, shapes or references are inconsistent
  NotFound,        // a named thing (file, tensor, graph, device) does not exist
  Io,              // the operating system refused a read, write or rename
  Unsupported,     // well formed, but this build or this device cannot do it
  OutOfMemory,     // host or device memory
  NoDevice,        // no usable Vulkan device
  DeviceLost,      // latched: the device takes no further work
  Timeout,         // the device did not answer before the deadline
  Cancelled,       // the caller asked to stop
  Internal,        // a bug in Fovea
  WrongResult,     // a device gave what cannot be right
};

/// "invalid file", "device lost" …
const char *to_string(ErrorCode code);

class Error : public std::runtime_error {
public:
  /// Control characters (of a damaged file's strings) are escaped, and what is past a few kilobytes is cut.
  Error(ErrorCode code, const std::string &message);
  ErrorCode code() const noexcept { return code_; }

private:
  ErrorCode code_;
};

namespace detail {
template <class T> void append(std::string &out, const T &value) {
  if constexpr (std::is_convertible_v<const T &, std::string_view>) {
    out += std::string_view(value);
  } else if constexpr (std::is_same_v<T, bool>) {
    out += value ? "true" : "false";
  } else if constexpr (std::is_same_v<T, char>) {
    out += value;
  } else if constexpr (std::is_arithmetic_v<T>) {
    char digits[40];
    out.append(digits, std::to_chars(digits, digits + sizeof digits, value).ptr);
  } else {
    out += to_string(value); // found by argument-dependent lookup
  }
}
} // namespace detail

/// Joins its arguments as text: strings, characters, numbers and anything with a to_string().
template <class... Parts> std::string concat(const Parts &...parts) {
  std::string out;
  (detail::append(out, parts), ...);
  return out;
}

/// Throws Error(code, concat(parts...)).
template <class... Parts> [[noreturn]] void fail(ErrorCode code, const Parts &...parts) {
  throw Error(code, concat(parts...));
}

} // namespace fovea
