// The transcription loop on a tiny random model: what it writes is no language, but every rule must hold.
#include "support.h"

#include "tasks/decode_window.h"
#include "tasks/load_tokenizer.h"
#include "tasks/recording.h"

#include <cmath>
#include <doctest/doctest.h>
#include <limits>

using namespace fovea;
using namespace fovea::test;

namespace {

void check_times(const Transcript &t) {
  double reached = 0;
  for (const TranscriptSegment &s : t.segments) {
    CHECK(s.start_s >= reached);
    CHECK(s.end_s >= s.start_s);
    CHECK(s.end_s <= t.timings.audio_s + 1e-9);
    CHECK(!s.text.empty());
    reached = s.end_s;
  }
}

std::string list(const std::vector<int32_t> &ids) {
  std::string text;
  for (const int32_t id : ids) text += concat(" ", id);
  return text;
}

// Greedy decoding of one window with the `decoder` graph, all positions anew for each token, rules on the
// host.
std::vector<int32_t> greedy_by_recomputing(const Tiny &tiny, std::span<const float> samples,
                                           bool timestamps) {
  SessionOptions options;
  options.bindings["B"] = 1;
  Session session(test_device(), tiny.model, tiny.weights, options);
  const SpeechSpec spec = SpeechSpec::read(tiny.model->file());
  const TimestampRules rules(spec, timestamps, 50u);
  std::vector<int32_t> prompt = {spec.start}, sampled;
  if (!timestamps) prompt.push_back(spec.no_timestamps);
  const HostTensor suppress = [&] {
    HostTensor t({{spec.n_vocabulary}, Encoding::F32});
    tiny.model->file().decode_rows(tiny.model->file().require("suppress"), 0, 1, t.f);
    return t;
  }();
  while (sampled.size() < spec.n_context / 2) {
    RunRequest request;
    request.inputs["samples"] = HostTensor({{samples.size()}, Encoding::F32});
    request.inputs["samples"].f.assign(samples.begin(), samples.end());
    std::vector<int32_t> ids = prompt;
    ids.insert(ids.end(), sampled.begin(), sampled.end());
    request.inputs["decoder_tokens"] = HostTensor({{ids.size()}, Encoding::I32});
    request.inputs["decoder_tokens"].i = ids;
    const HostTensor logits = run_model(session, request).at("logits");
    std::vector<float> last(logits.f.end() - spec.n_vocabulary, logits.f.end());
    const RulesRow row = rules.row(sampled);
    for (int32_t id = 0; id < int32_t(spec.n_vocabulary); ++id) {
      const float mark = suppress.f[size_t(id)];
      const bool allowed =
          id < spec.time_begin ? id >= row.text_from : id >= row.time_from && id < row.time_to;
      if (!allowed || mark == 1 || (mark == 2 && row.first)) last[size_t(id)] = -INFINITY;
    }
    double times = 0, text = 0;
    for (int32_t id = 0; id < int32_t(spec.n_vocabulary); ++id) {
      const double p = std::exp(double(last[size_t(id)]));
      if (id >= spec.time_begin)
        times += p;
      else
        text = std::max(text, p);
    }
    if (times > text) std::fill(last.begin(), last.begin() + spec.time_begin, -INFINITY);
    const auto best = int32_t(std::max_element(last.begin(), last.end()) - last.begin());
    if (best == spec.end) break;
    sampled.push_back(best);
  }
  return sampled;
}

} // namespace

TEST_CASE("transcribe: programs that were expected are the same; an error of one comes when it is wanted") {
  const Tiny tiny;
  SessionOptions options;
  options.bindings["B"] = 1;
  Session expecting(test_device(), tiny.model, tiny.weights, options);
  expecting.expect("no such graph");
  for (int i = 0; i < 2; ++i) expecting.expect("encode");
  CHECK_FALSE(expecting.has_program("encode"));
  Session plain(test_device(), tiny.model, tiny.weights, options);
  CHECK(dump_plan(expecting.program("encode").plan()) == dump_plan(plain.program("encode").plan()));
  expecting.expect("encode"); // made: nothing to do
  CHECK(expecting.has_program("encode"));
  CHECK_THROWS_AS(expecting.program("no such graph"), Error);
}

TEST_CASE("transcribe: a replayed step writes what recomputing everything writes") {
  for (const uint32_t seed : {1u, 2u, 3u, 4u, 5u})
    for (const bool timestamps : {false, true}) {
      CAPTURE(seed);
      CAPTURE(timestamps);
      TinySpeechModel what;
      what.seed = seed;
      const Tiny tiny(what);
      const SpeechSpec spec = SpeechSpec::read(tiny.model->file());
      const Tokenizer tokenizer = load_tokenizer(tiny.model->file(), spec.n_vocabulary);
      const TimestampRules rules(spec, timestamps, 50u);
      const std::vector<float> samples = sound(0.4, seed);
      const auto source = AudioSource::of(samples);
      Recording recording(*source, spec);
      SpeechSession session(test_device(), tiny.model, tiny.weights, spec, 1, {});
      const auto window = recording.window(0);
      session.encode(session.features(window, session.peak(window)));
      Random random(0);
      WindowDecoder decoder(session, tokenizer, rules, random);
      Prompt prompt{{spec.start}, 0};
      if (!timestamps) prompt.tokens.push_back(spec.no_timestamps);
      DecodeOptions options;
      options.temperatures = {0};
      options.max_tokens = spec.n_context / 2;
      const DecodedWindow got = decoder.decode(prompt, options);
      const std::vector<int32_t> want = greedy_by_recomputing(tiny, samples, timestamps);
      CHECK_MESSAGE(got.tokens == want, "got", list(got.tokens), ", want", list(want));
      CHECK(got.ended == (want.size() < options.max_tokens));
      CHECK((got.no_speech_prob > 0 && got.no_speech_prob < 1));
    }
}

TEST_CASE("transcribe: deterministic, any length, blocks or samples alike") {
  const Tiny tiny;
  Transcriber t = tiny.transcriber();
  const std::vector<float> samples = sound(7.3);
  TranscribeOptions o;
  o.best_of = 2;
  o.temperatures = {0, 0.4f, 0.9f};
  o.seed = 17;
  size_t n_segments = 0;
  double done = -1;
  TranscribeCallbacks callbacks;
  callbacks.segment = [&](const TranscriptSegment &) { ++n_segments; };
  callbacks.progress = [&](const TranscribeProgress &p) {
    CHECK(p.done_s >= done);
    CHECK(p.total_s == doctest::Approx(7.3));
    done = p.done_s;
  };
  const Transcript first = t.transcribe(samples, o, callbacks);
  CHECK(n_segments == first.segments.size());
  CHECK(done == doctest::Approx(7.3));
  check_times(first);
  CHECK(all_tokens(t.transcribe(samples, o)) == all_tokens(first));
  CHECK(all_tokens(tiny.transcriber().transcribe(samples, o)) == all_tokens(first));
  for (const double seconds : {0.0001, 0.005, 0.3, 0.4999, 0.5, 0.50001, 1.0, 1.01}) {
    CAPTURE(seconds);
    const Transcript got = t.transcribe(sound(seconds), o);
    CHECK(got.timings.audio_s == doctest::Approx(seconds).epsilon(0.5));
    check_times(got);
  }
}

TEST_CASE("transcribe: memory does not grow with the recording") {
  const Tiny tiny;
  Transcriber t = tiny.transcriber();
  TranscribeOptions o = plain();
  t.transcribe(sound(3), o);
  const MemoryUse before = t.memory();
  t.transcribe(sound(30), o);
  const MemoryUse after = t.memory();
  CHECK(after.state_bytes == before.state_bytes);
  CHECK(after.scratch_bytes <= before.scratch_bytes * 2);
  CHECK(after.io_bytes <= before.io_bytes * 2);
}

namespace {

// The model's log-probability of `tokens` and, if they ended, of the end: one sequence, nothing reordered.
double sum_logprob(SpeechSession &session, const Prompt &prompt, const TimestampRules &rules,
                   const DecodedWindow &w) {
  std::vector<int32_t> ids = w.tokens;
  if (w.ended) ids.push_back(session.spec().end);
  session.prompt(std::span(prompt.tokens).first(prompt.tokens.size() - 1), 0);
  int32_t last = prompt.tokens.back();
  auto at = uint32_t(prompt.tokens.size()) - 1;
  double sum = 0;
  for (size_t i = 0; i < ids.size(); ++i) {
    const RulesRow row = rules.row(std::span(ids).first(i));
    session.step({&last, 1}, {&row, 1}, at++, {.logprobs = true});
    last = ids[i];
    sum += double(session.logprobs(0)[size_t(last)]);
  }
  return sum;
}

} // namespace

TEST_CASE("transcribe: the probability that beam search and sampling report is the model's") {
  for (const uint32_t seed : {1u, 2u, 3u, 4u})
    for (const bool timestamps : {false, true}) {
      TinySpeechModel what;
      what.seed = seed;
      const Tiny tiny(what);
      const SpeechSpec spec = SpeechSpec::read(tiny.model->file());
      const Tokenizer tokenizer = load_tokenizer(tiny.model->file(), spec.n_vocabulary);
      const TimestampRules rules(spec, timestamps, 10u);
      const std::vector<float> samples = sound(0.5, seed);
      const auto source = AudioSource::of(samples);
      Recording recording(*source, spec);
      const auto window = recording.window(0);
      Prompt prompt{{spec.previous, 3, 1, 4, 1, 5, 9, 2, 6, 5, 3, 5, spec.start}, 12};
      if (!timestamps) prompt.tokens.push_back(spec.no_timestamps);
      DecodeOptions options;
      options.max_tokens = 20;
      options.best_of = 4;
      SpeechSession one(test_device(), tiny.model, tiny.weights, spec, 1, {});
      const float peak = one.peak(window);
      one.encode(one.features(window, peak));
      double greedy = 0;
      for (const uint32_t n_beams : {1u, 2u, 5u, 15u}) {
        CAPTURE(seed);
        CAPTURE(n_beams);
        SpeechSession session(test_device(), tiny.model, tiny.weights, spec, n_beams, {});
        session.encode(session.features(window, peak));
        Random random(seed);
        WindowDecoder decoder(session, tokenizer, rules, random);
        for (const float temperature : {0.0f, 0.8f}) {
          CAPTURE(temperature);
          options.temperatures = {temperature};
          const DecodedWindow got = decoder.decode(prompt, options);
          const double want = sum_logprob(one, prompt, rules, got) / double(got.tokens.size() + 1);
          CHECK(double(got.avg_logprob) == doctest::Approx(want).epsilon(1e-3));
          CHECK(got.tokens.size() <= 20);
          if (n_beams == 1 && temperature == 0) greedy = want;
        }
        options.temperatures = {0};
        if (n_beams == 15) CHECK(double(decoder.decode(prompt, options).avg_logprob) >= greedy - 1e-3);
      }
    }
}

TEST_CASE("transcribe: beam search over several windows") {
  const Tiny tiny;
  Transcriber t = tiny.transcriber(5);
  const Transcript first = t.transcribe(sound(3), {});
  check_times(first);
  CHECK(first.timings.n_windows >= 6);
  CHECK(all_tokens(t.transcribe(sound(3), {})) == all_tokens(first));
}

TEST_CASE("transcribe: fallback ends at the last temperature, and skips what is silent and improbable") {
  const Tiny tiny;
  Transcriber t = tiny.transcriber();
  TranscribeOptions o;
  o.temperatures = {0, 0.2f, 0.7f};
  o.logprob_threshold = 0.0f; // nothing is certain
  o.no_speech_threshold.reset();
  const std::vector<float> samples = sound(1);
  const Transcript tried = t.transcribe(samples, o);
  REQUIRE(!tried.segments.empty());
  for (const TranscriptSegment &s : tried.segments) CHECK(s.temperature == 0.7f);
  o.logprob_threshold = -1000.0f;
  o.compression_ratio_threshold = 1000.0f;
  for (const TranscriptSegment &s : t.transcribe(samples, o).segments) CHECK(s.temperature == 0);
  o.no_speech_threshold = 0.0f;
  o.logprob_threshold = 0.0f;
  const Transcript silent = t.transcribe(samples, o);
  CHECK(silent.segments.empty());
  CHECK(silent.timings.n_windows == 2);
  CHECK(silent.text().empty());
  o.temperatures = {1.0f};
  o.logprob_threshold.reset();
  o.no_speech_threshold.reset();
  o.best_of = 3;
  const auto with_seed = [&](uint64_t seed) {
    o.seed = seed;
    return all_tokens(t.transcribe(samples, o));
  };
  CHECK(with_seed(1) == with_seed(1));
  CHECK(with_seed(1) != with_seed(2));
}

TEST_CASE("transcribe: earlier text and prompts change what follows, and only that") {
  const Tiny tiny;
  Transcriber t = tiny.transcriber();
  TranscribeOptions o = plain();
  o.compression_ratio_threshold.reset();
  o.logprob_threshold.reset();
  const std::vector<float> samples = sound(3);
  const Transcript with = t.transcribe(samples, o);
  o.condition_on_previous_text = false;
  const Transcript without = t.transcribe(samples, o);
  REQUIRE(!with.segments.empty());
  CHECK(with.segments[0].tokens == without.segments[0].tokens);
  CHECK(all_tokens(with) != all_tokens(without));
  o.initial_prompt = "abc a";
  CHECK(all_tokens(t.transcribe(samples, o)) != all_tokens(without));
  o.initial_prompt = std::string(5000, 'a'); // more than the context holds: its end counts
  check_times(t.transcribe(samples, o));
  o.max_tokens_per_window = 4'000'000'000u;
  check_times(t.transcribe(samples, o));
}

TEST_CASE("transcribe: languages of a multilingual model") {
  TinySpeechModel what;
  what.multilingual = true;
  const Tiny tiny(what);
  Transcriber t = tiny.transcriber(2);
  CHECK(t.multilingual());
  CHECK(t.languages() == std::vector<std::string>{"en", "de"});
  TranscribeOptions o = plain();
  std::string heard;
  TranscribeCallbacks callbacks;
  callbacks.language = [&](const std::string &code, float) { heard = code; };
  const std::vector<float> samples = sound(1);
  const Transcript detected = t.transcribe(samples, o, callbacks);
  CHECK(detected.language == heard);
  CHECK((detected.language_probability > 0.5f && detected.language_probability <= 1));
  o.language = "DE";
  const Transcript german = t.transcribe(samples, o);
  CHECK(german.language == "de");
  o.language = "en";
  CHECK(all_tokens(t.transcribe(samples, o)) != all_tokens(german));
  o.translate = true;
  t.transcribe(samples, o);
  o.language = "xx";
  CHECK_THROWS_WITH_AS(t.transcribe(samples, o), doctest::Contains("language 'xx'"), Error);
}
