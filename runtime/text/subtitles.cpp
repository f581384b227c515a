#include "text/subtitles.h"

#include <algorithm>
#include <cmath>
#include <cstdio>

namespace fovea {
namespace {
constexpr double kMaxSeconds = 3.6e9;
constexpr std::string_view kBlank = " \t\r\n\f\v";

std::string_view trimmed(std::string_view text) {
  const size_t begin = text.find_first_not_of(kBlank);
  return begin == text.npos ? "" : text.substr(begin, text.find_last_not_of(kBlank) + 1 - begin);
}

/// The lines of `text` that are not blank, trimmed, with `separator` between.
std::string joined_lines(std::string_view text, char separator) {
  std::string out;
  while (!(text = trimmed(text)).empty()) {
    const size_t end = std::min(text.find_first_of("\r\n"), text.size());
    if (!out.empty()) out += separator;
    out += trimmed(text.substr(0, end));
    text.remove_prefix(end);
  }
  return out;
}

std::string escaped_vtt(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (c == '&')
      out += "&amp;";
    else if (c == '<')
      out += "&lt;";
    else if (c == '>')
      out += "&gt;";
    else
      out += c;
  }
  return out;
}

std::string without_arrows(std::string_view text) {
  std::string out;
  for (const char c : text) {
    while (c == '>' && out.ends_with("--")) out.pop_back();
    out += c;
  }
  return out;
}
} // namespace

std::string format_timestamp(double seconds, char decimal_mark, bool with_hours) {
  const double bounded = std::isnan(seconds) ? 0 : std::clamp(seconds, 0.0, kMaxSeconds);
  const auto ms = (unsigned long long)(std::llround(bounded * 1000));
  const unsigned long long hours = ms / 3'600'000;
  char text[64];
  int n = 0;
  if (with_hours || hours > 0) n = std::snprintf(text, sizeof text, "%02llu:", hours);
  std::snprintf(text + n, sizeof text - size_t(n), "%02u:%02u%c%03u", unsigned(ms / 60'000 % 60),
                unsigned(ms / 1000 % 60), decimal_mark, unsigned(ms % 1000));
  return text;
}

std::string SubtitleWriter::header() const { return format_ == SubtitleFormat::Vtt ? "WEBVTT\n\n" : ""; }

std::string SubtitleWriter::cue(double start_s, double end_s, std::string_view text) {
  const bool plain = format_ == SubtitleFormat::Text, vtt = format_ == SubtitleFormat::Vtt;
  std::string body = joined_lines(text, plain ? ' ' : '\n');
  if (body.empty()) return {};
  if (plain) return body + '\n';
  ++n_cues_;
  body = vtt ? escaped_vtt(body) : without_arrows(body);
  const char mark = vtt ? '.' : ',';
  std::string out = vtt ? "" : std::to_string(n_cues_) + '\n';
  out += format_timestamp(start_s, mark, !vtt) + " --> ";
  out += format_timestamp(std::fmax(start_s, end_s), mark, !vtt) + '\n';
  return out + body + "\n\n";
}

} // namespace fovea
