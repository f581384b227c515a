// Texts of a command line, or the lines of standard input where it is "-", in groups that are worth running
// together. One thread. Throws fovea::Error (IO, INVALID_ARGUMENT for a line of more than 64 MiB
// or a zero byte), UsageError.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace tool {

class TextLines {
public:
  /// `hint` ends the error of standard input that is no text.
  explicit TextLines(std::vector<std::string> texts, std::string hint = "");
  /// The next texts, at most 64, and of standard input those that are there: who types gets each answer at
  /// once. None: the end. Ends of lines are left out.
  std::vector<std::string> next();

private:
  bool take_line(std::vector<std::string> &out);
  void read_more();
  std::vector<std::string> texts_;
  std::string hint_;
  size_t at_ = 0;
  bool from_stdin_, ended_ = false;
  std::string buffer_; // what was read and not yet given
};

/// "1 2 3" as numbers. UsageError otherwise.
std::vector<int32_t> parse_ids(const std::string &text);

} // namespace tool
