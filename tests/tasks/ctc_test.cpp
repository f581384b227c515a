// Transcription with a model whose words are read off frames: one that hears what it is told, so that every
// word and time is known.
#include "support.h"

#include "support/tiny_ctc_model.h"
#include "tasks/bench.h"
#include "tasks/ctc_words.h"

#include <doctest/doctest.h>
#include <limits>
#include <random>

using namespace fovea;
using namespace fovea::test;

namespace {

using TinyCtc = TinyModel<TinyCtcModel, write_tiny_ctc_model>;

/// Random words, with pauses.
std::vector<int32_t> random_tokens(size_t n_words, uint32_t seed) {
  std::mt19937 random(seed);
  std::vector<int32_t> tokens(random() % 50, kCtcBlank);
  for (size_t i = 0; i < n_words; ++i) {
    for (auto n = 1 + random() % 6; n > 0; --n) {
      tokens.insert(tokens.end(), 1 + random() % 4, kCtcLetterA + int32_t(random() % 13));
      tokens.insert(tokens.end(), random() % 3, random() % 5 ? kCtcBlank : kCtcSpecial);
    }
    tokens.insert(tokens.end(), 1 + random() % 3, kCtcDelimiter);
    tokens.insert(tokens.end(), random() % 20 ? random() % 4 : 20 + random() % 60, kCtcBlank);
  }
  return tokens;
}

std::vector<CtcWord> words_of(const CtcSpec &spec, const std::vector<int32_t> &tokens) {
  std::vector<CtcFrame> frames;
  for (const int32_t token : tokens) frames.push_back({token, 0});
  CtcReader reader(spec);
  std::vector<CtcWord> words = reader.push(frames);
  for (CtcWord &w : reader.finish()) words.push_back(std::move(w));
  return words;
}

} // namespace

TEST_CASE("ctc: words and times of recordings of any length, as of one whole pass") {
  const TinyCtc tiny;
  const CtcSpec spec = CtcSpec::read(tiny.model->file());
  Transcriber transcriber = tiny.transcriber();
  std::vector<int32_t> tokens = random_tokens(120, 3);
  // Up to and past the edges of windows: a window of 1000 samples, the next one 800 on.
  for (const size_t n_frames : {1, 2, 48, 49, 50, 88, 89, 90, 91, 129, 130, int(tokens.size())}) {
    CAPTURE(n_frames);
    const std::vector<int32_t> said(tokens.begin(), tokens.begin() + std::ptrdiff_t(n_frames));
    const auto samples = ctc_sound(said);
    const auto want = words_of(spec, said);
    const Transcript got = transcriber.transcribe(samples);
    CHECK(got.timings.n_windows == (samples.size() <= 1000 ? 1 : 1 + (samples.size() - 1000 + 799) / 800));
    CHECK(got.timings.audio_s == doctest::Approx(double(samples.size()) / 1000));
    std::string text;
    size_t n = 0;
    double reached = 0;
    for (const TranscriptSegment &s : got.segments) {
      CHECK(s.start_s >= reached);
      reached = s.end_s;
      for (const TranscriptWord &w : s.words) {
        REQUIRE(n < want.size());
        CHECK(w.text == want[n].text);
        CHECK(w.start_s == double(want[n].begin_frame * kCtcHop) / 1000);
        CHECK(w.end_s == double(want[n].end_frame * kCtcHop) / 1000);
        CHECK(w.probability == doctest::Approx(1).epsilon(1e-4));
        text += std::string(want[n].n_spaces, ' ') + w.text;
        ++n;
      }
    }
    CHECK(n == want.size());
    CHECK(got.text() == text.substr(std::min(text.find_first_not_of(' '), text.size())));
  }
}

TEST_CASE("ctc: segments come as they are decided, progress reaches the end, memory stays that of a window") {
  const TinyCtc tiny;
  Transcriber transcriber = tiny.transcriber();
  const auto tokens = random_tokens(400, 5);
  const auto samples = ctc_sound(tokens);
  std::vector<std::string> heard;
  std::vector<double> done;
  double heard_first_at = -1;
  TranscribeCallbacks callbacks;
  callbacks.segment = [&](const TranscriptSegment &s) {
    heard.push_back(s.text);
    if (heard_first_at < 0) heard_first_at = done.back();
  };
  callbacks.progress = [&](const TranscribeProgress &p) {
    CHECK(p.total_s == doctest::Approx(double(samples.size()) / 1000));
    done.push_back(p.done_s);
  };
  callbacks.language = [](const std::string &, float) { FAIL("it knows none"); };
  const Transcript got = transcriber.transcribe(samples, {}, callbacks);
  REQUIRE(heard.size() == got.segments.size());
  CHECK(heard.size() > 10);
  for (size_t i = 0; i < heard.size(); ++i) CHECK(heard[i] == got.segments[i].text);
  CHECK(std::is_sorted(done.begin(), done.end()));
  CHECK(done.front() == 0);
  CHECK(done.back() == doctest::Approx(double(samples.size()) / 1000));
  CHECK(heard_first_at < done.back() / 4);
  const MemoryUse use = transcriber.memory();
  transcriber.transcribe(ctc_sound(random_tokens(4000, 6)));
  CHECK(transcriber.memory().scratch_bytes == use.scratch_bytes);

  TranscribeOptions options;
  options.timestamps = false;
  const Transcript windows = transcriber.transcribe(samples, options);
  CHECK(windows.text() == got.text());
  CHECK(windows.segments.size() <= windows.timings.n_windows);
  CHECK(windows.segments.size() > windows.timings.n_windows / 2);
}

TEST_CASE("ctc: silence, and less than a frame of sound, have no words; nothing at all is an Error") {
  const TinyCtc tiny;
  Transcriber transcriber = tiny.transcriber();
  for (const size_t n : {1, 39, 40, 999, 1000, 1001, 5000}) {
    const Transcript got = transcriber.transcribe(std::vector<float>(n));
    CHECK(got.segments.empty());
    CHECK(got.text().empty());
    CHECK(got.timings.audio_s == doctest::Approx(double(n) / 1000));
  }
  CHECK_THROWS_WITH_AS(transcriber.transcribe(std::span<const float>()),
                       "samples: the recording has no samples", Error);
  std::vector<float> broken(3000);
  broken[2345] = std::numeric_limits<float>::infinity();
  CHECK_THROWS_WITH_AS(transcriber.transcribe(broken), doctest::Contains("sample 2345"), Error);
  CHECK(transcriber.transcribe(ctc_sound(ctc_tokens("AB CAB"))).text() == "AB CAB"); // still of use
}

TEST_CASE("ctc: cancelled between windows") {
  const TinyCtc tiny;
  Transcriber transcriber = tiny.transcriber();
  const auto samples = ctc_sound(random_tokens(100, 7));
  std::atomic<bool> cancel = false;
  TranscribeOptions options;
  options.cancel = &cancel;
  TranscribeCallbacks callbacks;
  callbacks.progress = [&](const TranscribeProgress &p) { cancel = p.done_s > 3; };
  try {
    transcriber.transcribe(samples, options, callbacks);
    FAIL("not cancelled");
  } catch (const Error &e) {
    CHECK(e.code() == ErrorCode::Cancelled);
  }
  CHECK_THROWS_AS(transcriber.transcribe(samples, options), Error); // requested before it began
  cancel = false;
  CHECK_FALSE(transcriber.transcribe(samples, options).segments.empty());
}

TEST_CASE("ctc: what such a model cannot do is an Error, what means nothing to it is not looked at") {
  const TinyCtc tiny;
  Transcriber transcriber = tiny.transcriber();
  CHECK(!transcriber.multilingual());
  CHECK(transcriber.languages().empty());
  CHECK(transcriber.sample_rate_hz() == 1000);
  CHECK_THROWS_WITH_AS(tiny.transcriber(2), doctest::Contains("2 beams"), Error);
  const auto samples = ctc_sound(ctc_tokens("A"));
  const auto error = [&](auto &&edit) -> std::string {
    TranscribeOptions options;
    edit(options);
    try {
      transcriber.transcribe(samples, options);
    } catch (const Error &e) {
      CHECK(e.code() == ErrorCode::InvalidArgument);
      return e.what();
    }
    return "";
  };
  CHECK(error([](auto &o) { o.language = "en"; }).find("language 'en'") == 0);
  CHECK(error([](auto &o) { o.translate = true; }).find("cannot translate") != std::string::npos);
  CHECK(error([](auto &o) { o.initial_prompt = "Hello"; }).find("prompt") != std::string::npos);
  CHECK(error([](auto &o) { o.temperatures = {0.5f}; }).find("temperature") != std::string::npos);
  CHECK(error([](auto &o) {
          o.best_of = 7;
          o.patience = 2;
          o.no_speech_threshold.reset();
          o.condition_on_previous_text = false;
        }).empty());
}

TEST_CASE("ctc: with a language model, what is heard between two letters is the one that makes a word") {
  TinyCtcModel what;
  what.edit_metadata = [](std::map<std::string, MetaData> &m) {
    m["fovea.ngram.order"] = 1u;
    m["fovea.ngram.words"] = std::vector<uint8_t>{0, 2, 'A', 'B', 0, 3, 'C', 'A', 'B'};
    m["fovea.ngram.1.logprobs"] = std::vector<uint8_t>{0, 0};
    m["fovea.ngram.1.logprobs_range"] = std::vector<float>{-1, 0};
  };
  what.edit_graph = [](std::string &graph) { graph.replace(graph.find("k=1"), 3, "k=4"); };
  const TinyCtc tiny(what);
  // Long enough for several windows.
  auto samples = ctc_sound(ctc_tokens("DAB AB DAB.... EE AB DAB DAB AB DAB DAB"));
  for (float &x : samples)
    if (x == 6.0f / kCtcVocabulary) x = 5.55f / kCtcVocabulary; // nearer to D than to C
  const auto texts = [&](uint32_t n_beams) {
    const Transcript t = tiny.transcriber(n_beams).transcribe(samples);
    CHECK(t.timings.n_windows > 1);
    return t.text();
  };
  CHECK(texts(1) == "DAB AB DAB EE AB DAB DAB AB DAB DAB");
  CHECK(texts(0) == "CAB AB CAB EE AB CAB CAB AB CAB CAB");
  CHECK(texts(4) == texts(0));
  CHECK_THROWS_WITH_AS(tiny.transcriber(1025), doctest::Contains("1025 beams, expected 1 to 1024"), Error);

  // The words have the times that they have without.
  const Transcript greedy = tiny.transcriber(1).transcribe(samples);
  const Transcript searched = tiny.transcriber(0).transcribe(samples);
  REQUIRE(searched.segments.size() == greedy.segments.size());
  for (size_t i = 0; i < greedy.segments.size(); ++i) {
    REQUIRE(searched.segments[i].words.size() == greedy.segments[i].words.size());
    for (size_t w = 0; w < greedy.segments[i].words.size(); ++w) {
      CHECK(searched.segments[i].words[w].start_s == greedy.segments[i].words[w].start_s);
      CHECK(searched.segments[i].words[w].end_s == greedy.segments[i].words[w].end_s);
      CHECK(searched.segments[i].words[w].probability > 0);
      CHECK(searched.segments[i].words[w].probability <= greedy.segments[i].words[w].probability);
    }
  }
  // A vocabulary without anything between words cannot have them.
  what.edit_metadata = [edit = what.edit_metadata](std::map<std::string, MetaData> &m) {
    edit(m);
    m["fovea.transcribe.ctc.delimiter"] = CtcSpec::kNone;
  };
  CHECK_THROWS_WITH_AS(TinyCtc(what).transcriber(0), doctest::Contains("fovea.ngram"), Error);
}

TEST_CASE("ctc: files whose parts do not fit each other are refused") {
  const auto error = [](const TinyCtcModel &what) -> std::string {
    const TinyCtc tiny(what);
    try {
      Transcriber transcriber = tiny.transcriber();
      transcriber.transcribe(ctc_sound(ctc_tokens("A B. C")));
    } catch (const Error &e) {
      const std::string text = e.what();
      CHECK(text.find(tiny.model->path()) == 0);
      return text;
    }
    return "";
  };
  CHECK(error({}).empty());
  CHECK(error({[](Metadata &m) { m["fovea.transcribe.decoder"] = std::string("rnnt"); }, {}})
            .find("fovea.transcribe.decoder is 'rnnt'") != std::string::npos);
  // Other frames than the metadata says.
  CHECK(error({[](Metadata &m) { m["fovea.transcribe.ctc.context"] = 60u; }, {}}).find("graph 'window'") !=
        std::string::npos);
  CHECK(error({{}, [](std::string &graph) { graph.replace(graph.find("top_k(p) k=1"), 12, "softmax(p)"); }})
            .find("graph 'window' gives 'best'") != std::string::npos);
  CHECK(error({{}, [](std::string &graph) { graph.replace(graph.find("[1, N]"), 6, "[1, 1000]"); }})
            .find("graph 'window' has 'window'") != std::string::npos);
  // A class without a text.
  CHECK(error({[](Metadata &m) {
                 m["fovea.transcribe.ctc.tokens"] = std::vector<std::string>{"", "|", "", "A"};
               },
               {}})
            .find("gave token 4") != std::string::npos);
}

TEST_CASE("ctc: bench times windows, checked and with their figures") {
  const TinyCtc tiny;
  BenchOptions options;
  options.n_runs = 2;
  const BenchReport report = bench(test_device(), tiny.model->path(), options);
  REQUIRE(report.stages.size() == 1); // a short window is a whole one
  const BenchStage &stage = report.stages[0];
  CHECK(stage.name == "window of 1 s");
  CHECK(stage.best_s > 0);
  CHECK(stage.best_s <= stage.median_s);
  CHECK(stage.n_dispatches > 0);
  CHECK(report.first_result_s >= report.load_s + stage.first_s);
  CHECK(report.memory.scratch_bytes + report.memory.io_bytes > 0);
}
