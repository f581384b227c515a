#include "base/name_values.h"

#include "base/error.h"
#include "base/mapped_file.h"

#include <algorithm>

namespace fovea {
namespace {

constexpr size_t kMaxBytes = 256 << 10;

std::string_view trimmed(std::string_view text) {
  const size_t begin = text.find_first_not_of(" \t\r");
  if (begin == std::string_view::npos) return {};
  return text.substr(begin, text.find_last_not_of(" \t\r") - begin + 1);
}

void check_size(size_t bytes, const std::string &file) {
  if (bytes > kMaxBytes)
    fail(ErrorCode::InvalidArgument, file, ": ", bytes, " bytes are more than such a file has (", kMaxBytes,
         ")");
}

} // namespace

NameValues::NameValues(std::string_view text, const std::string &file) : rest_(text), file_(file) {
  check_size(text.size(), file);
}

bool NameValues::next() {
  while (!rest_.empty()) {
    const size_t end = std::min(rest_.find('\n'), rest_.size());
    std::string_view line = rest_.substr(0, end);
    rest_.remove_prefix(std::min(end + 1, rest_.size()));
    ++n_line_;
    line = trimmed(line.substr(0, line.find('#')));
    if (line.empty()) continue;
    const size_t equals = line.find('=');
    if (equals == std::string_view::npos) wrong({"expected NAME = VALUE, got '", line, "'"});
    name_ = trimmed(line.substr(0, equals));
    value_ = trimmed(line.substr(equals + 1));
    return true;
  }
  return false;
}

std::string_view NameValues::next_word() {
  const std::string_view word = value_.substr(0, value_.find_first_of(" \t"));
  value_ = trimmed(value_.substr(word.size()));
  return word;
}

void NameValues::wrong(std::initializer_list<std::string_view> what) const {
  std::string text;
  for (const std::string_view part : what) text += part;
  fail(ErrorCode::InvalidArgument, file_, ", line ", n_line_, ": ", text);
}

std::string read_small_file(const std::string &path) {
  const MappedFile file(path);
  const auto bytes = file.bytes();
  check_size(bytes.size(), path);
  return {reinterpret_cast<const char *>(bytes.data()), bytes.size()};
}

} // namespace fovea
