// NameValues: small data files of `name = value` lines, with comments from # on. What profiles
// (base/device_profile.h) and quirks (kernels/quirks.h) are read with. A cursor over text that is somebody
// else's; one thread. Throws InvalidArgument, with file and line.
#pragma once

#include <cstddef>
#include <initializer_list>
#include <string>
#include <string_view>

namespace fovea {

class NameValues {
public:
  /// `file` is for errors. Error when there is more text than such files have.
  NameValues(std::string_view text, const std::string &file);
  /// Goes to the next line that says something; false at the end.
  bool next();
  std::string_view name() const { return name_; }
  std::string_view value() const { return value_; }
  /// The value's first word, which next_word() takes from it; empty at its end.
  std::string_view next_word();
  /// Error: "FILE, line N: …".
  [[noreturn]] void wrong(std::initializer_list<std::string_view> what) const;

private:
  std::string_view rest_, name_, value_;
  const std::string &file_;
  size_t n_line_ = 0;
};

/// A text file, at most as long as NameValues takes. Error NotFound, Io, InvalidArgument.
std::string read_small_file(const std::string &path);

} // namespace fovea
