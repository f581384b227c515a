#include "api/core/transcripts.h"

#include "tasks/speech_stream.h"

#include <fovea/stream.h>

using namespace fovea;
using namespace fovea::api;

namespace {

const fovea_stream_options kDefaults = {
    sizeof(fovea_stream_options), nullptr, 0.6, 0.5, nullptr, nullptr, nullptr, nullptr};

StreamCallbacks to_callbacks(const fovea_stream_options &o) {
  StreamCallbacks to;
  const auto count = std::make_shared<size_t>(0); // settled segments
  to.segment = [o, count](const TranscriptSegment &segment) {
    const auto words = words_of(segment);
    const fovea_segment view = view_of(segment, words, (*count)++);
    if (o.on_segment && o.on_segment(o.user, &view) != 0)
      fail(ErrorCode::Cancelled, "stopped by the segment callback");
  };
  if (o.on_partial)
    to.partial = [o, count](const std::optional<TranscriptSegment> &partial) {
      const TranscriptSegment segment = partial.value_or(TranscriptSegment());
      const auto words = words_of(segment);
      const fovea_segment view = view_of(segment, words, *count);
      if (o.on_partial(o.user, &view) != 0) fail(ErrorCode::Cancelled, "stopped by the partial callback");
    };
  if (o.on_language)
    to.language = [o](const std::string &code, float probability) {
      o.on_language(o.user, code.c_str(), probability);
    };
  return to;
}

} // namespace

struct fovea_stream {
  std::shared_ptr<Transcriber> transcriber; // what the stream listens with
  SpeechStream stream;
};

extern "C" {

void fovea_stream_options_init(fovea_stream_options *options, size_t struct_size) {
  write_struct(options, struct_size, kDefaults);
}
void fovea_stream_stats_init(fovea_stream_stats *stats, size_t struct_size) {
  write_struct(stats, struct_size, fovea_stream_stats{});
}

fovea_status fovea_stream_create(fovea_transcriber *transcriber, const fovea_stream_options *options,
                                 fovea_stream **out) {
  return create(out, [&] {
    const auto with = require(transcriber, "transcriber")->transcriber;
    const fovea_stream_options given = read_struct(options, kDefaults, "stream options");
    StreamOptions wanted;
    wanted.pause_s = given.pause_s;
    wanted.partial_s = given.on_partial ? given.partial_s : 0;
    auto listener =
        with->listen(to_options(read_struct(given.transcribe, transcribe_defaults(), "transcribe options")));
    return std::make_unique<fovea_stream>(
        fovea_stream{with, SpeechStream(std::move(listener), std::move(wanted), to_callbacks(given))});
  });
}
void fovea_stream_release(fovea_stream *stream) { delete stream; }

fovea_status fovea_stream_push(fovea_stream *stream, const float *samples, size_t n_samples) {
  return guard([&] {
    require(stream, "stream");
    if (n_samples) require(samples, "samples");
    stream->stream.push({samples, n_samples});
  });
}
fovea_status fovea_stream_finish(fovea_stream *stream) {
  return guard([&] { require(stream, "stream")->stream.finish(); });
}
fovea_status fovea_stream_get_stats(const fovea_stream *stream, fovea_stream_stats *stats) {
  return guard([&] {
    const StreamStats s = require(stream, "stream")->stream.stats();
    require(stats, "stats");
    read_struct(stats, fovea_stream_stats{}, "stats");
    write_struct(stats, stats->struct_size,
                 fovea_stream_stats{sizeof *stats, s.audio_s, s.speech_s, s.busy_s, s.n_utterances,
                                    s.n_hearings, s.n_partials});
  });
}

} // extern "C"
