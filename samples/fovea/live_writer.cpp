#include "live_writer.h"

#include <algorithm>
#include <sys/ioctl.h>
#include <tuple>
#include <unistd.h>

namespace tool {
namespace {

size_t columns(std::FILE *terminal) {
  winsize size{};
  return ioctl(fileno(terminal), TIOCGWINSZ, &size) == 0 && size.ws_col > 1 ? size.ws_col : 80;
}

/// The end of a text that fits into `width` columns, without what would move the cursor. Letters of East
/// Asian scripts take two.
std::string tail(std::string_view text, size_t width) {
  size_t begin = text.size(), used = 0;
  while (begin > 0) {
    size_t at = begin - 1;
    while (at > 0 && (static_cast<unsigned char>(text[at]) & 0xc0) == 0x80) --at;
    const bool is_wide = static_cast<unsigned char>(text[at]) >= 0xe1 && begin - at >= 3;
    used += is_wide ? 2 : 1;
    if (used > width) break;
    begin = at;
  }
  std::string out(text.substr(begin));
  for (char &c : out)
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) c = ' ';
  return out;
}

} // namespace

LiveWriter::LiveWriter(TranscriptFormat format, std::string name, const std::string &output)
    : format_(format), writer_(format, std::move(name), output, false) {
  if (format == TranscriptFormat::Json && output.empty()) return; // partial text is part of the output
  if (isatty(STDOUT_FILENO))
    terminal_ = stdout;
  else if (isatty(STDERR_FILENO))
    terminal_ = stderr;
}

void LiveWriter::clear() {
  if (!std::exchange(drawn_, false)) return;
  std::fputs("\r\033[K", terminal_);
  std::fflush(terminal_);
}

void LiveWriter::settled(const fovea_segment &segment) {
  clear();
  partial_times_.reset();
  if (format_ == TranscriptFormat::Json)
    writer_.line(segment, "final");
  else
    writer_.segment(segment);
}

/// An empty one takes back what was written since the last final line, and has its times; where there is
/// nothing to take back it is left out.
void LiveWriter::partial_line(fovea_segment segment) {
  const auto before = std::exchange(partial_times_, std::pair(segment.start_s, segment.end_s));
  if (!*segment.text) {
    partial_times_.reset();
    if (!before) return;
    std::tie(segment.start_s, segment.end_s) = *before;
  }
  writer_.line(segment, "partial");
}

void LiveWriter::partial(const fovea_segment &segment) {
  if (format_ == TranscriptFormat::Json) partial_line(segment);
  if (!terminal_) return;
  clear();
  std::string_view shown = segment.text;
  shown.remove_prefix(std::min(shown.find_first_not_of(' '), shown.size()));
  const std::string text = tail(shown, columns(terminal_) - 1);
  if (text.empty()) return;
  std::fputs(text.c_str(), terminal_);
  std::fflush(terminal_);
  drawn_ = true;
}

void LiveWriter::finish() {
  clear();
  writer_.finish();
}

} // namespace tool
