// Reading the small text files that Fovea keeps for itself: words of a line, numbers, lines. Values of one
// thread. Error InvalidArgument for what is not there.
#pragma once

#include "base/error.h"

#include <optional>
#include <vector>

namespace fovea {

/// Nothing unless the whole text is a number. `base`: of integers.
template <class T> std::optional<T> number(std::string_view text, [[maybe_unused]] int base = 10) {
  T value{};
  std::from_chars_result read;
  if constexpr (std::is_floating_point_v<T>)
    read = std::from_chars(text.data(), text.data() + text.size(), value);
  else
    read = std::from_chars(text.data(), text.data() + text.size(), value, base);
  const auto [end, error] = read;
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

template <class T> T require_number(std::string_view text) {
  const auto value = number<T>(text);
  if (!value) fail(ErrorCode::InvalidArgument, "'", text, "' is no number");
  return *value;
}

/// What stands between single spaces.
inline std::vector<std::string_view> words(std::string_view line) {
  std::vector<std::string_view> out;
  while (!line.empty()) {
    const size_t end = std::min(line.find(' '), line.size());
    out.push_back(line.substr(0, end));
    line.remove_prefix(std::min(end + 1, line.size()));
  }
  return out;
}

/// What is before the separator, which is taken off `text` with it.
inline std::string_view take_until(std::string_view &text, char separator) {
  const size_t end = text.find(separator);
  if (end == text.npos) fail(ErrorCode::InvalidArgument, "the text ends in the middle");
  const std::string_view out = text.substr(0, end);
  text.remove_prefix(end + 1);
  return out;
}

/// The rest of a line that begins with `word`.
inline std::string_view after(std::string_view line, std::string_view word) {
  if (line.substr(0, word.size()) != word) fail(ErrorCode::InvalidArgument, "expected '", word, "…'");
  return line.substr(word.size());
}

} // namespace fovea
