// What the transcription loop refuses, and that it works afterwards.
#include "support.h"

#include <cmath>
#include <doctest/doctest.h>
#include <limits>

using namespace fovea;
using namespace fovea::test;

TEST_CASE("transcribe: bad sound and bad options are Errors, and it works afterwards") {
  const Tiny tiny;
  Transcriber t = tiny.transcriber();
  const std::vector<float> good = sound(0.7);
  const auto error = [&](std::span<const float> samples, const TranscribeOptions &o) {
    try {
      t.transcribe(samples, o);
    } catch (const Error &e) {
      CHECK(e.code() == ErrorCode::InvalidArgument);
      return std::string(e.what());
    }
    return std::string("accepted");
  };
  CHECK(error({}, plain()).find("no samples") != std::string::npos);
  for (const float bad : {std::numeric_limits<float>::quiet_NaN(), INFINITY, -INFINITY}) {
    std::vector<float> samples = good;
    samples[8001] = bad;
    CHECK(error(samples, plain()).find("sample 8001 (at 0.50") != std::string::npos);
  }
  const auto rejects = [&](const std::function<void(TranscribeOptions &)> &edit, const char *part) {
    TranscribeOptions o;
    edit(o);
    const std::string text = error(good, o);
    CHECK_MESSAGE(text.find(part) != std::string::npos, text);
  };
  rejects([](auto &o) { o.temperatures.clear(); }, "temperatures");
  rejects([](auto &o) { o.temperatures = {-1}; }, "temperature -1");
  rejects([](auto &o) { o.temperatures = {NAN}; }, "temperature");
  rejects([](auto &o) { o.best_of = 0; }, "best of 0");
  rejects([](auto &o) { o.patience = 0; }, "patience");
  rejects([](auto &o) { o.length_penalty = NAN; }, "length penalty");
  rejects([](auto &o) { o.no_speech_threshold = NAN; }, "threshold");
  rejects([](auto &o) { o.max_initial_timestamp_s = NAN; }, "initial timestamp");
  rejects([](auto &o) { o.translate = true; }, "translate");
  rejects([](auto &o) { o.language = "de"; }, "language 'de'");
  CHECK(t.transcribe(good, plain()).timings.n_windows >= 1);
  for (const uint32_t n_beams : {16u, 4'000'000'000u}) CHECK_THROWS_AS(tiny.transcriber(n_beams), Error);
}

TEST_CASE("transcribe: cancelled between steps, and usable afterwards") {
  const Tiny tiny;
  Transcriber t = tiny.transcriber();
  std::atomic<bool> cancel{false};
  TranscribeOptions o = plain();
  o.cancel = &cancel;
  TranscribeCallbacks callbacks;
  callbacks.progress = [&](const TranscribeProgress &p) { cancel = p.done_s > 1; };
  try {
    t.transcribe(sound(20), o, callbacks);
    FAIL("not cancelled");
  } catch (const Error &e) {
    CHECK(e.code() == ErrorCode::Cancelled);
  }
  cancel = false;
  CHECK(t.transcribe(sound(1), o).timings.n_windows >= 1);
}

TEST_CASE("transcribe: graphs that do not fit the metadata are Errors before anything runs") {
  using Graphs = std::map<std::string, std::string>;
  const auto rejects = [&](const std::function<void(Graphs &)> &edit, const char *part,
                           uint32_t n_beams = 1) {
    TinySpeechModel what;
    what.edit_graphs = edit;
    CHECK_THROWS_WITH_AS(Tiny(what).transcriber(n_beams), doctest::Contains(part), Error);
  };
  const auto replace = [](std::string &text, const std::string &from, const std::string &to) {
    const size_t at = text.find(from);
    REQUIRE(at != std::string::npos);
    text.replace(at, from.size(), to);
  };
  for (const char *name : {"peak", "window", "encode", "step"})
    rejects([&](Graphs &g) { g.erase(name); }, name);
  rejects([&](Graphs &g) { g.erase("reorder"); }, "reorder", 2);
  rejects([&](Graphs &g) { replace(g["step"], "out best", "out worst"); }, "no output 'best'");
  rejects([&](Graphs &g) { replace(g["window"], "in window", "in door"); }, "window");
  const auto edit = [&](const char *key, MetaData value, const char *part) {
    TinySpeechModel what;
    what.edit_metadata = [&](Metadata &m) { m[key] = value; };
    CHECK_THROWS_WITH_AS(Tiny(what).transcriber(), doctest::Contains(part), Error);
  };
  edit("fovea.audio.context_after", 41u, "expected f32 [8241]");
  edit("fovea.transcribe.vocabulary", 90u, "expected f32 [1, 1, 90]");
}
