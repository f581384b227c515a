#include "text/subtitles.h"

#include <doctest/doctest.h>
#include <limits>

using namespace fovea;

TEST_CASE("subtitles: time stamps") {
  CHECK(format_timestamp(0, ',', true) == "00:00:00,000");
  CHECK(format_timestamp(0, '.', false) == "00:00.000");
  CHECK(format_timestamp(59.9996, '.', false) == "01:00.000"); // rounding carries
  CHECK(format_timestamp(3599.9996, '.', false) == "01:00:00.000");
  CHECK(format_timestamp(3723.004, '.', false) == "01:02:03.004");
  CHECK(format_timestamp(360000.5, ',', true) == "100:00:00,500");
  CHECK(format_timestamp(-1, ',', true) == "00:00:00,000");
  CHECK(format_timestamp(std::numeric_limits<double>::quiet_NaN(), ',', true) == "00:00:00,000");
  CHECK(format_timestamp(std::numeric_limits<double>::infinity(), ',', true) == "1000000:00:00,000");
}

TEST_CASE("subtitles: plain text") {
  SubtitleWriter writer(SubtitleFormat::Text);
  CHECK(writer.header().empty());
  CHECK(writer.cue(0, 1, "  Hello <you> & all \n") == "Hello <you> & all\n");
  CHECK(writer.cue(1, 2, "two\n\n lines") == "two lines\n");
  CHECK(writer.cue(2, 3, " \n\t").empty());
}

TEST_CASE("subtitles: SubRip numbers cues that have text") {
  SubtitleWriter writer(SubtitleFormat::Srt);
  CHECK(writer.header().empty());
  CHECK(writer.cue(0, 2.5, " Hello <i> & all") == "1\n00:00:00,000 --> 00:00:02,500\nHello <i> & all\n\n");
  CHECK(writer.cue(2.5, 3, "").empty());
  CHECK(writer.cue(3, 2, "one\r\n\r\ntwo") == "2\n00:00:03,000 --> 00:00:03,000\none\ntwo\n\n");
  CHECK(writer.cue(4, 5, "a --> b ----> c") == "3\n00:00:04,000 --> 00:00:05,000\na -> b -> c\n\n");
}

TEST_CASE("subtitles: WebVTT escapes") {
  SubtitleWriter writer(SubtitleFormat::Vtt);
  CHECK(writer.header() == "WEBVTT\n\n");
  CHECK(writer.cue(0, 2.5, "a --> <b> & c") == "00:00.000 --> 00:02.500\na --&gt; &lt;b&gt; &amp; c\n\n");
  CHECK(writer.cue(3599, 3601, "x") == "59:59.000 --> 01:00:01.000\nx\n\n");
  CHECK(writer.cue(0, 1, "  ").empty());
}
