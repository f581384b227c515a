// Models whose words are read off frames: their metadata as hostile input, joining frames to words, words to
// segments.
#include "support/temp_folder.h"
#include "support/tiny_ctc_model.h"
#include "tasks/ctc_segments.h"

#include <cmath>
#include <doctest/doctest.h>

using namespace fovea;
using namespace fovea::test;

namespace {

using Metadata = std::map<std::string, MetaData>;

CtcSpec read_spec(const TempFolder &folder, const Metadata &metadata) {
  const std::string path = folder / "ctc.gguf";
  write_tiny_ctc_model(path, {[&](Metadata &m) { m = metadata; }, {}});
  return CtcSpec::read(ModelFile(path));
}

CtcSpec tiny_spec() { return read_spec(TempFolder(), ctc_metadata()); }

/// '_' is the blank, '|' the delimiter, '*' a special token.
std::vector<CtcFrame> frames(const std::string &text) {
  std::vector<CtcFrame> out;
  for (const char c : text)
    out.push_back({c == '_'   ? kCtcBlank
                   : c == '|' ? kCtcDelimiter
                   : c == '*' ? kCtcSpecial
                              : kCtcLetterA + (c - 'A'),
                   -0.5f});
  return out;
}

/// "AB[3,5) C[7,8)", with as many spaces before a word as delimiters.
std::string words_of(const CtcSpec &spec, const std::vector<CtcFrame> &all, size_t step = SIZE_MAX) {
  CtcReader reader(spec);
  std::string out;
  const auto write = [&](const std::vector<CtcWord> &words) {
    for (const CtcWord &w : words)
      out += concat(std::string(w.n_spaces, ' '), w.text, "[", w.begin_frame, ",", w.end_frame, ")");
  };
  for (size_t at = 0; at < all.size(); at += std::min(step, all.size() - at))
    write(reader.push(std::span(all).subspan(at, std::min(step, all.size() - at))));
  write(reader.finish());
  CHECK(reader.next_frame() == all.size());
  return out;
}

CtcWord word(std::string text, uint64_t begin, uint64_t end, uint32_t n_spaces = 1) {
  CtcWord w;
  w.begin_frame = begin;
  w.end_frame = end;
  w.n_spaces = n_spaces;
  w.n_letters = uint32_t(text.size());
  w.sum_logprob = -0.25 * double(text.size());
  w.text = std::move(text);
  return w;
}

} // namespace

TEST_CASE("ctc words: repeats are one, blanks separate them, delimiters end words") {
  const CtcSpec spec = tiny_spec();
  const std::pair<const char *, const char *> cases[] = {
      {"", ""},
      {"_", ""},
      {"____", ""},
      {"|", ""},
      {"A", "A[0,1)"},
      {"AAA", "A[0,3)"},
      {"A_A", "AA[0,3)"},
      {"__AA_B__", "AB[2,6)"}, // to the last frame of the last letter, blanks after it left out
      {"AB|C", "AB[0,2) C[3,4)"},
      {"AB||C", "AB[0,2) C[4,5)"},
      {"AB|_|C", "AB[0,2)  C[5,6)"}, // two delimiters, two spaces, as in the reference
      {"|A|", " A[1,2)"},
      {"A*A", "AA[0,3)"}, // repeats are joined before what writes nothing is left out
      {"*A**_*B*", "AB[1,7)"},
      {"*|*", ""},
      {"AA|_", "A[0,2)"},
  };
  for (const auto &[heard, want] : cases) {
    const std::string frames_heard = heard; // clang 14 cannot capture a structured binding
    CAPTURE(frames_heard);
    const auto all = frames(heard);
    CHECK(words_of(spec, all) == want);
    for (const size_t step : {1, 2, 3}) CHECK(words_of(spec, all, step) == want);
  }
}

TEST_CASE("ctc words: without a delimiter each token is a word; a token that is a space is a delimiter") {
  CtcSpec spec = tiny_spec();
  spec.delimiter = CtcSpec::kNone;
  spec.tokens[kCtcDelimiter] = "";
  CHECK(words_of(spec, frames("AAB_B|_C")) == "A[0,2)B[2,3)B[4,5)C[7,8)");
  spec.tokens[kCtcDelimiter] = " ";
  CHECK(words_of(spec, frames("AAB_B|_C")) == "ABB[0,5) C[7,8)");
}

TEST_CASE("ctc words: a word's probability is that of its letters, at their best frames") {
  const CtcSpec spec = tiny_spec();
  CtcReader reader(spec);
  auto all = frames("AAB|");
  all[0].logprob = -3;
  all[1].logprob = -1;
  all[2].logprob = -2;
  all[3].logprob = -9;
  const auto words = reader.push(all);
  CHECK(words.empty()); // the delimiter may go on
  const auto last = reader.finish();
  REQUIRE(last.size() == 1);
  CHECK(last[0].sum_logprob == doctest::Approx(-3));
  CHECK(last[0].n_letters == 2);
  CHECK(last[0].tokens == std::vector<int32_t>{kCtcLetterA, kCtcLetterA + 1});
  CHECK(reader.n_tokens() == 3);
}

TEST_CASE("ctc segments: end at a pause, and before they are too long for a subtitle") {
  const CtcSpec spec = tiny_spec(); // 20 ms a frame
  CtcSegmenter segmenter(spec, true);
  CHECK(!segmenter.flush());
  CHECK(!segmenter.add(word("AB", 10, 20, 0)));
  CHECK(!segmenter.add(word("C", 44, 50)));            // 0.48 s later
  const auto first = segmenter.add(word("D", 75, 80)); // 0.5 s later
  REQUIRE(first);
  CHECK(first->text == "AB C");
  CHECK(first->start_s == doctest::Approx(0.2));
  CHECK(first->end_s == doctest::Approx(1.0));
  CHECK(first->avg_logprob == doctest::Approx(-0.25));
  REQUIRE(first->words.size() == 2);
  CHECK(first->words[1].text == "C");
  CHECK(first->words[1].start_s == doctest::Approx(0.88));
  CHECK(first->words[1].probability == doctest::Approx(std::exp(-0.25)));

  // From 1.5 s on, one word every 0.2 s: the eighth second is too late.
  std::optional<TranscriptSegment> ended;
  uint64_t at = 85;
  for (; !ended; at += 10) ended = segmenter.add(word("E", at, at + 5));
  CHECK(ended->end_s - ended->start_s <= 7);
  CHECK(ended->end_s - ended->start_s > 6.5);
  const auto rest = segmenter.flush();
  REQUIRE(rest);
  CHECK(rest->text == " E");

  // 84 characters, code points and not bytes.
  for (int i = 0; i < 21; ++i) CHECK(!segmenter.add(word("\u00e9ab", 1000, 1001)));
  const auto full = segmenter.add(word("X", 1001, 1002));
  REQUIRE(full);
  CHECK(full->words.size() == 21);

  CtcSegmenter without_times(spec, false);
  for (uint64_t i = 0; i < 100; ++i) CHECK(!without_times.add(word("AB", 100 * i, 100 * i + 9)));
  CHECK(without_times.flush()->words.size() == 100);
}

TEST_CASE("ctc segments: spaces before punctuation are taken out when the file says so") {
  CtcSpec spec = tiny_spec();
  for (const bool clean_up : {false, true}) {
    spec.clean_up = clean_up;
    CtcSegmenter segmenter(spec, true);
    segmenter.add(word("it", 0, 1, 0));
    segmenter.add(word("'s", 1, 2));
    CHECK(segmenter.flush()->text == (clean_up ? "it's" : "it 's"));
  }
}

TEST_CASE("ctc metadata: read as written") {
  const CtcSpec spec = tiny_spec();
  CHECK(spec.tokens.size() == kCtcVocabulary);
  CHECK(spec.n_frames(39) == 0);
  CHECK(spec.n_frames(40) == 1);
  CHECK(spec.n_frames(59) == 1);
  CHECK(spec.n_frames(60) == 2);
  CHECK(spec.seconds(3) == 0.06);
}

TEST_CASE("ctc metadata: every entry missing or of another type is an Error") {
  const TempFolder folder;
  for (const auto &[key, value] : ctc_metadata()) {
    if (key == "general.architecture" || key == "fovea.task" || key == "fovea.transcribe.decoder") continue;
    const std::string name = key; // clang 14 cannot capture a structured binding
    CAPTURE(name);
    Metadata m = ctc_metadata();
    m.erase(key);
    if (name == "fovea.transcribe.ctc.clean_up")
      CHECK_NOTHROW(read_spec(folder, m));
    else
      CHECK_THROWS_WITH_AS(read_spec(folder, m), doctest::Contains(name.c_str()), Error);
    m[key] = std::vector<float>{1.5f};
    CHECK_THROWS_WITH_AS(read_spec(folder, m), doctest::Contains(name.c_str()), Error);
  }
}

TEST_CASE("ctc metadata: what cannot be is an Error that names the entry") {
  const TempFolder folder;
  const std::string ctc = "fovea.transcribe.ctc.";
  const std::pair<std::string, MetaData> faults[] = {
      {"fovea.audio.sample_rate", 0u},
      {"fovea.audio.sample_rate", 2'000'000u},
      {"fovea.audio.window_samples", 0u},
      {"fovea.audio.window_samples", 1010u}, // no multiple of the hop
      {"fovea.audio.window_samples", (1u << 24) + 20},
      {ctc + "hop", 0u},
      {ctc + "hop", 1001u},
      {ctc + "context", 0u},
      {ctc + "context", 1001u},
      {ctc + "overlap", 500u}, // nothing of a window would be its own
      {ctc + "overlap", 90u},
      {ctc + "overlap", 0u}, // frames between windows would be lost
      {ctc + "blank", int32_t(-1)},
      {ctc + "blank", int32_t(kCtcVocabulary)},
      {ctc + "delimiter", int32_t(-2)},
      {ctc + "delimiter", int32_t(kCtcVocabulary)},
      {ctc + "delimiter", kCtcBlank},
      {ctc + "tokens", std::vector<std::string>{}},
      {ctc + "tokens", std::vector<std::string>{"A"}},
      {ctc + "tokens", std::vector<std::string>{"", "\xff", "A"}},
      {ctc + "tokens", std::vector<std::string>{"", std::string(256, 'x'), "A"}},
  };
  for (const auto &[key, value] : faults) {
    Metadata m = ctc_metadata();
    m[key] = value;
    if (key == ctc + "hop" || key == ctc + "overlap") m[ctc + "context"] = 40u;
    const std::string name = key;
    CAPTURE(name);
    CHECK_THROWS_WITH_AS(read_spec(folder, m), doctest::Contains(name.c_str()), Error);
  }
  Metadata m = ctc_metadata();
  m[ctc + "delimiter"] = int32_t(-1); // a script without spaces
  CHECK_NOTHROW(read_spec(folder, m));
}
