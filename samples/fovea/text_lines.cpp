#include "text_lines.h"

#include "console.h"

#include <cerrno>
#include <charconv>
#include <cstring>
#include <unistd.h>

namespace tool {
namespace {

constexpr size_t kGroup = 64;
constexpr size_t kMaxLine = 64 << 20;

} // namespace

TextLines::TextLines(std::vector<std::string> texts, std::string hint)
    : texts_(std::move(texts)), hint_(std::move(hint)), from_stdin_(texts_.size() == 1 && texts_[0] == "-") {
  for (const std::string &text : texts_)
    if (text == "-" && !from_stdin_) throw UsageError("- (standard input) cannot stand beside other texts");
}

bool TextLines::take_line(std::vector<std::string> &out) {
  const size_t end = buffer_.find('\n', at_);
  if (end == std::string::npos && (!ended_ || at_ == buffer_.size())) return false;
  std::string line = buffer_.substr(at_, end == std::string::npos ? end : end - at_);
  at_ = end == std::string::npos ? buffer_.size() : end + 1;
  if (!line.empty() && line.back() == '\r') line.pop_back();
  out.push_back(std::move(line));
  return true;
}

void TextLines::read_more() {
  buffer_.erase(0, at_);
  at_ = 0;
  if (buffer_.size() > kMaxLine)
    fail(FOVEA_INVALID_ARGUMENT, {"standard input: a line is longer than 64 MiB"});
  char block[1 << 16];
  const ssize_t n = ::read(STDIN_FILENO, block, sizeof block);
  if (n < 0 && errno == EINTR && interrupt().requested()) fail(FOVEA_CANCELLED, {"interrupted"});
  if (n < 0 && errno != EINTR) fail(FOVEA_IO, {"standard input: cannot be read: ", std::strerror(errno)});
  if (n > 0 && std::memchr(block, 0, size_t(n)))
    fail(FOVEA_INVALID_ARGUMENT, {"standard input: has a zero byte: not a text", hint_});
  if (n > 0) buffer_.append(block, size_t(n));
  ended_ = n == 0;
}

std::vector<std::string> TextLines::next() {
  std::vector<std::string> out;
  if (!from_stdin_) {
    for (; at_ < texts_.size() && out.size() < kGroup; ++at_) out.push_back(texts_[at_]);
    return out;
  }
  for (;;) {
    while (out.size() < kGroup && take_line(out)) {}
    if (!out.empty() || ended_) return out;
    read_more();
  }
}

std::vector<int32_t> parse_ids(const std::string &text) {
  std::vector<int32_t> out;
  const char *at = text.data(), *end = at + text.size();
  for (;;) {
    while (at < end && (*at == ' ' || *at == ',' || *at == '\t')) ++at;
    if (at == end) return out;
    int32_t id = 0;
    const auto [next, error] = std::from_chars(at, end, id);
    if (error != std::errc() || id < 0) throw UsageError("'" + text + "' is not a list of token ids");
    out.push_back(id);
    at = next;
  }
}

} // namespace tool
