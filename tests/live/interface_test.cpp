// Streams through the C and C++ interface.
#include "live/support.h"

#include <fovea/stream.hpp>

#include <doctest/doctest.h>

using fovea::test::live_model;
using fovea::test::live_sentences;
using fovea::test::live_sound;

namespace {

struct Heard {
  std::vector<std::string> settled, partials;
  bool stop = false;
};

int on_segment(void *user, const fovea_segment *segment) {
  auto &h = *static_cast<Heard *>(user);
  CHECK(segment->struct_size == sizeof *segment);
  CHECK(segment->index == h.settled.size());
  CHECK(segment->n_words > 0);
  h.settled.push_back(segment->text);
  return h.stop;
}

int on_partial(void *user, const fovea_segment *segment) {
  auto &h = *static_cast<Heard *>(user);
  CHECK(segment->index == h.settled.size());
  h.partials.push_back(segment->text);
  return 0;
}

} // namespace

TEST_CASE("interface: a stream in C") {
  fovea_device *device = nullptr;
  fovea_model *model = nullptr;
  fovea_transcriber *transcriber = nullptr;
  fovea_stream *stream = nullptr;
  REQUIRE(fovea_device_open(nullptr, &device) == FOVEA_OK);
  REQUIRE(fovea_model_open(live_model().c_str(), nullptr, &model) == FOVEA_OK);
  REQUIRE(fovea_transcriber_create(device, model, nullptr, &transcriber) == FOVEA_OK);
  const auto samples = live_sound(live_sentences(4));
  fovea_transcript *whole = nullptr;
  REQUIRE(fovea_transcribe(transcriber, samples.data(), samples.size(), nullptr, &whole) == FOVEA_OK);

  Heard heard;
  fovea_cancel *cancel = nullptr;
  REQUIRE(fovea_cancel_create(&cancel) == FOVEA_OK);
  fovea_transcribe_options with;
  fovea_transcribe_options_init(&with, sizeof with);
  with.cancel = cancel;
  fovea_stream_options options;
  fovea_stream_options_init(&options, sizeof options);
  CHECK(options.pause_s == 0.6);
  CHECK(options.partial_s == 0.5);
  options.transcribe = &with;
  options.on_segment = on_segment;
  options.on_partial = on_partial;
  options.user = &heard;
  REQUIRE(fovea_stream_create(transcriber, &options, &stream) == FOVEA_OK);
  fovea_transcriber_release(transcriber); // the stream keeps what it needs
  fovea_model_release(model);
  fovea_device_release(device);

  size_t n_cancelled = 0;
  for (size_t at = 0; at < samples.size(); at += 4000) {
    const size_t n = std::min<size_t>(4000, samples.size() - at);
    heard.stop = at % 5 == 0;
    if (at % 12000 == 0) fovea_cancel_request(cancel);
    const fovea_status status = fovea_stream_push(stream, samples.data() + at, n);
    fovea_cancel_reset(cancel);
    CHECK((status == FOVEA_OK || status == FOVEA_CANCELLED));
    n_cancelled += status == FOVEA_CANCELLED;
  }
  CHECK(n_cancelled > 0);
  heard.stop = false;
  CHECK(fovea_stream_finish(stream) == FOVEA_OK);
  CHECK(fovea_stream_finish(stream) == FOVEA_OK);
  std::string text;
  for (const std::string &s : heard.settled) text += s;
  CHECK(text == fovea_transcript_text(whole));
  CHECK(heard.partials.size() > 2);
  CHECK(heard.partials.back().empty());

  fovea_stream_stats stats;
  fovea_stream_stats_init(&stats, sizeof stats);
  CHECK(fovea_stream_get_stats(stream, &stats) == FOVEA_OK);
  CHECK(stats.audio_s == doctest::Approx(double(samples.size()) / 16000));
  CHECK(stats.n_utterances == 4);
  CHECK(stats.n_hearings > stats.n_partials);
  CHECK(stats.speech_s < stats.audio_s);
  CHECK(stats.busy_s > 0);

  CHECK(fovea_stream_push(stream, samples.data(), 10) == FOVEA_INVALID_ARGUMENT);
  CHECK(std::string(fovea_last_error()).find("finished") != std::string::npos);
  CHECK(fovea_stream_push(nullptr, samples.data(), 10) == FOVEA_INVALID_ARGUMENT);
  CHECK(fovea_stream_push(stream, nullptr, 10) == FOVEA_INVALID_ARGUMENT);
  CHECK(fovea_stream_finish(nullptr) == FOVEA_INVALID_ARGUMENT);
  CHECK(fovea_stream_get_stats(nullptr, &stats) == FOVEA_INVALID_ARGUMENT);
  CHECK(fovea_stream_get_stats(stream, nullptr) == FOVEA_INVALID_ARGUMENT);
  stats.struct_size = 0;
  CHECK(fovea_stream_get_stats(stream, &stats) == FOVEA_INVALID_ARGUMENT);
  CHECK(fovea_stream_create(nullptr, nullptr, &stream) == FOVEA_INVALID_ARGUMENT);
  CHECK(stream == nullptr);
  fovea_stream_release(nullptr);
  fovea_transcript_release(whole);
  fovea_cancel_release(cancel);
}

TEST_CASE("interface: a stream in C++, and options that are refused") {
  const auto device = fovea::Device::open().value();
  const auto model = fovea::Model::open(live_model()).value();
  const auto transcriber = fovea::Transcriber::create(device, model).value();
  const auto samples = live_sound(live_sentences(2));
  std::string text;
  fovea::StreamCallbacks callbacks;
  callbacks.segment = [&](const fovea_segment &segment) {
    text += segment.text;
    return true;
  };
  callbacks.partial = [n = 0](const fovea_segment &) mutable {
    if (++n == 1) throw std::runtime_error("thrown once");
    return true;
  };
  auto stream = fovea::Stream::create(transcriber, fovea::StreamOptions(), callbacks).value();
  size_t n_thrown = 0;
  for (size_t at = 0; at < samples.size(); at += 1600) try {
      stream.push(samples.data() + at, std::min<size_t>(1600, samples.size() - at)).value();
    } catch (const std::runtime_error &e) {
      CHECK(std::string(e.what()) == "thrown once");
      ++n_thrown;
    }
  stream.finish().value();
  CHECK(n_thrown == 1);
  CHECK(text.rfind("ABCDEFG BAD ", 0) == 0);
  CHECK(stream.stats().value().n_utterances == 2);

  fovea::StreamOptions options;
  options.pause_s = 0;
  CHECK(fovea::Stream::create(transcriber, options).message().find("pause") != std::string::npos);
  fovea::TranscribeOptions with;
  with.language = "de";
  options = {};
  options.transcribe = &with;
  CHECK(fovea::Stream::create(transcriber, options).status() == FOVEA_INVALID_ARGUMENT);
}
