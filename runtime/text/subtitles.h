// Subtitles: timed segments of text as plain text, SubRip (.srt) or WebVTT (.vtt), piece by piece, so that a
// segment can be printed as soon as it is decided. (JSON holds more than text and times; whoever has those
// writes it.)
//
// Owns: the count of cues. Thread-safety: a value, one thread. Nothing throws but std::bad_alloc.
// Text is trimmed; a segment without text writes nothing. Inside a cue, blank lines (they would end it) are
// dropped.
#pragma once

#include <string>
#include <string_view>

namespace fovea {

enum class SubtitleFormat {
  Text, // one line per segment, no times
  Srt,  // number, "00:00:00,000 --> 00:00:02,500", text, blank line; "-->" in text becomes "->"
  Vtt,  // "00:00.000 --> 00:02.500" (hours only when there are any), text with & < > escaped, blank line
};

class SubtitleWriter {
public:
  /// `n_cues`: already written, by an earlier writer of the same file.
  explicit SubtitleWriter(SubtitleFormat format, unsigned long n_cues = 0)
      : format_(format), n_cues_(n_cues) {}
  /// What the file begins with.
  std::string header() const;
  /// One segment. Times before 0 count as 0, an end before the start as the start, NaN as 0.
  std::string cue(double start_s, double end_s, std::string_view text);
  unsigned long n_cues() const { return n_cues_; }

private:
  SubtitleFormat format_;
  unsigned long n_cues_;
};

/// "01:02:03.004", rounded to the nearest millisecond. `with_hours` false leaves "00:" hours out. Hours may
/// have more than two digits; infinity is 10^6 hours.
std::string format_timestamp(double seconds, char decimal_mark, bool with_hours);

} // namespace fovea
