#include "tasks/segments.h"

#include "support/speech_metadata.h"
#include "tasks/sampling.h"
#include "tasks/timestamp_rules.h"

#include <doctest/doctest.h>

using namespace fovea;
using test::tiny_spec;

namespace {

constexpr int32_t T = test::kTinyTimeBegin; // the time 0
using Tokens = std::vector<int32_t>;

struct Piece {
  uint32_t start, end;
  Tokens tokens;
  friend bool operator==(const Piece &, const Piece &) = default;
};

std::vector<Piece> pieces(const WindowCut &cut) {
  std::vector<Piece> out;
  for (const SegmentCut &s : cut.segments)
    out.push_back({s.start_frame, s.end_frame, {s.tokens.begin(), s.tokens.end()}});
  return out;
}

} // namespace

TEST_CASE("segments: pairs of times split, the rest is left to the next window") {
  const SpeechSpec s = tiny_spec(); // a position is two frames, a window 50
  const Tokens tokens = {T, 1, 2, T + 5, T + 6, 3, T + 10, T + 10, 4};
  const WindowCut cut = cut_window(s, tokens, 50);
  CHECK(pieces(cut) == std::vector<Piece>{{0, 10, {T, 1, 2, T + 5}}, {12, 20, {T + 6, 3, T + 10}}});
  CHECK(cut.advance_frames == 20); // to the last time of a pair, before it
}

TEST_CASE("segments: a single time at the end says that nothing follows") {
  const SpeechSpec s = tiny_spec();
  const Tokens tokens = {T, 1, T + 5, T + 6, 3, T + 9};
  const WindowCut cut = cut_window(s, tokens, 43);
  CHECK(pieces(cut) == std::vector<Piece>{{0, 10, {T, 1, T + 5}}, {12, 18, {T + 6, 3, T + 9}}});
  CHECK(cut.advance_frames == 43);
}

TEST_CASE("segments: without a pair the window is one segment") {
  const SpeechSpec s = tiny_spec();
  CHECK(pieces(cut_window(s, Tokens{T, 1, 2, T + 7}, 50)) == std::vector<Piece>{{0, 14, {T, 1, 2, T + 7}}});
  CHECK(cut_window(s, Tokens{T, 1, 2, T + 7}, 50).advance_frames == 50);
  CHECK(pieces(cut_window(s, Tokens{T, 1, 2}, 31)) ==
        std::vector<Piece>{{0, 31, {T, 1, 2}}}); // time 0 says nothing
  CHECK(pieces(cut_window(s, Tokens{1, 2}, 31)) == std::vector<Piece>{{0, 31, {1, 2}}});
  CHECK(pieces(cut_window(s, Tokens{}, 31)) == std::vector<Piece>{{0, 31, {}}});
  CHECK(cut_window(s, Tokens{}, 31).advance_frames == 31);
  SpeechSpec no_times = s;
  no_times.time_begin = SpeechSpec::kNone;
  CHECK(pieces(cut_window(no_times, Tokens{70, 71, 72}, 31)) == std::vector<Piece>{{0, 31, {70, 71, 72}}});
}

TEST_CASE("segments: a window always ends") {
  const SpeechSpec s = tiny_spec();
  CHECK(cut_window(s, Tokens{T, T, 1}, 50).advance_frames == 50); // nothing in no time
  CHECK(cut_window(s, Tokens{T + 3, T, T + 2, T}, 50).advance_frames > 0);
  const WindowCut far = cut_window(s, Tokens{T, 1, T + 4000, T + 4000, 1}, 50); // no such time
  CHECK(far.advance_frames == 50);
  CHECK(far.segments[0].end_frame == 50);
}

TEST_CASE("segments: what the rules admit gives times in order, and every frame is passed once") {
  const SpeechSpec s = tiny_spec();
  Random random(11);
  for (int round = 0; round < 3000; ++round) {
    const TimestampRules rules(s, round % 7 != 0, 10u);
    Tokens tokens;
    const auto length = size_t(random.uniform() * 30);
    while (tokens.size() < length) {
      const RulesRow row = rules.row(tokens);
      const auto id = int32_t(random.uniform() * s.n_vocabulary);
      const bool is_time = id >= s.time_begin;
      if (is_time ? id >= row.time_from && id < row.time_to : id >= row.text_from && id < s.end)
        tokens.push_back(id);
      else if (random.uniform() < 0.02)
        break;
    }
    const auto n_frames = 1 + uint32_t(random.uniform() * 50);
    const WindowCut cut = cut_window(s, tokens, n_frames);
    REQUIRE(cut.advance_frames >= 1);
    REQUIRE(cut.advance_frames <= s.n_frames);
    uint32_t reached = 0;
    for (const SegmentCut &piece : cut.segments) {
      REQUIRE(piece.start_frame >= reached);
      REQUIRE(piece.end_frame >= piece.start_frame);
      reached = piece.end_frame;
    }
  }
}
