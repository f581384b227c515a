#include "api/core/transcripts.h"
#include "api/json.h"

#include "tasks/file_tasks.h"

using namespace fovea;
using namespace fovea::api;

namespace {

const fovea_transcriber_options kTranscriberDefaults = {sizeof(fovea_transcriber_options), 0, 0, nullptr,
                                                        nullptr};

TranscribeCallbacks to_callbacks(const fovea_transcribe_options &o) {
  TranscribeCallbacks to;
  if (o.on_segment)
    to.segment = [&o, index = size_t(0)](const TranscriptSegment &segment) mutable {
      const auto words = words_of(segment);
      const fovea_segment view = view_of(segment, words, index++);
      if (o.on_segment(o.user, &view) != 0) fail(ErrorCode::Cancelled, "stopped by the segment callback");
    };
  if (o.on_progress)
    to.progress = [&o](const TranscribeProgress &p) {
      report_progress(o.on_progress, o.user, p.done_s, p.total_s);
    };
  if (o.on_language)
    to.language = [&o](const std::string &code, float probability) {
      o.on_language(o.user, code.c_str(), probability);
    };
  return to;
}

/// A caller's functions as a recording.
class CallerSource final : public AudioSource {
public:
  explicit CallerSource(const fovea_audio_source &source) : source_(source) {
    require(source.read, "source->read");
    require(source.rewind, "source->rewind");
  }
  void rewind() override { check(source_.rewind(source_.user)); }
  size_t read(std::span<float> samples) override {
    size_t n_read = 0;
    check(source_.read(source_.user, samples.data(), samples.size(), &n_read));
    if (n_read > samples.size())
      fail(ErrorCode::InvalidArgument, name(), ": the source read ", n_read, " samples where ",
           samples.size(), " fit");
    return n_read;
  }
  std::string name() const override { return source_.name ? source_.name : "audio"; }

private:
  void check(fovea_status status) const {
    if (status == FOVEA_OK) return;
    const std::string message = fovea_last_error();
    fail(to_code(status), message.empty() ? name() + ": the source failed" : message);
  }
  fovea_audio_source source_;
};

} // namespace

struct fovea_transcript {
  Transcript transcript;
  std::string text;
  std::vector<std::vector<fovea_word>> words; // of each segment
  std::vector<fovea_segment> segments;
  fovea_transcribe_timings timings;

  explicit fovea_transcript(Transcript t) : transcript(std::move(t)), text(transcript.text()) {
    for (const TranscriptSegment &s : transcript.segments) words.push_back(words_of(s));
    for (const TranscriptSegment &s : transcript.segments)
      segments.push_back(view_of(s, words[segments.size()], segments.size()));
    const TranscribeTimings &from = transcript.timings;
    timings = {sizeof timings, from.audio_s,  from.total_s,  from.peak_s,    from.features_s,
               from.encode_s,  from.prompt_s, from.decode_s, from.n_windows, from.n_tokens};
  }
};

namespace {

fovea_status transcribe(fovea_transcriber *transcriber, AudioSource &source,
                        const fovea_transcribe_options *options, fovea_transcript **out) {
  return create(out, [&] {
    const fovea_transcribe_options given = read_struct(options, transcribe_defaults(), "transcribe options");
    return std::make_unique<fovea_transcript>(
        require(transcriber, "transcriber")
            ->transcriber->transcribe(source, to_options(given), to_callbacks(given)));
  });
}

} // namespace

extern "C" {

void fovea_transcriber_options_init(fovea_transcriber_options *options, size_t struct_size) {
  write_struct(options, struct_size, kTranscriberDefaults);
}
void fovea_transcribe_options_init(fovea_transcribe_options *options, size_t struct_size) {
  write_struct(options, struct_size, transcribe_defaults());
}
void fovea_audio_source_init(fovea_audio_source *source, size_t struct_size) {
  write_struct(source, struct_size, fovea_audio_source{});
}

fovea_status fovea_transcriber_create(fovea_device *device, const fovea_model *model,
                                      const fovea_transcriber_options *options, fovea_transcriber **out) {
  return create(out, [&] {
    require(device, "device");
    require(model, "model");
    const fovea_transcriber_options given = read_struct(options, kTranscriberDefaults, "transcriber options");
    check_task_complete(model->model->file());
    if (!Transcriber::accepts(*model->model))
      fail(ErrorCode::Unsupported, model->model->path(), ": not a speech model (its task is '", model->task,
           "', expected 'transcribe')");
    TranscriberOptions wanted;
    wanted.n_beams = given.beam;
    wanted.timestamps = given.profile != 0;
    return std::make_unique<fovea_transcriber>(fovea_transcriber{
        device->device, wanted.timestamps,
        std::make_shared<Transcriber>(device->device, model->model,
                                      model->weights(*device, given.progress, given.user), wanted)});
  });
}
void fovea_transcriber_release(fovea_transcriber *transcriber) { delete transcriber; }

uint32_t fovea_transcriber_sample_rate_hz(const fovea_transcriber *transcriber) {
  return transcriber ? transcriber->transcriber->sample_rate_hz() : 0;
}
size_t fovea_transcriber_language_count(const fovea_transcriber *transcriber) {
  return transcriber ? transcriber->transcriber->languages().size() : 0;
}
const char *fovea_transcriber_language(const fovea_transcriber *transcriber, size_t index) {
  return index < fovea_transcriber_language_count(transcriber)
             ? transcriber->transcriber->languages()[index].c_str()
             : nullptr;
}
fovea_status fovea_transcriber_memory(const fovea_transcriber *transcriber, fovea_memory *memory) {
  return guard([&] { write_memory(memory, require(transcriber, "transcriber")->transcriber->memory()); });
}
fovea_status fovea_transcriber_profile(const fovea_transcriber *transcriber, char **out) {
  return create_text(out, [&] {
    require(transcriber, "transcriber");
    if (!transcriber->profile)
      fail(ErrorCode::Unsupported, "no profile: the transcriber was not made with profile = 1");
    if (transcriber->device->caps().timestamp_period_ns <= 0)
      fail(ErrorCode::Unsupported, "no profile: ", transcriber->device->name(), " has no timestamps");
    return profile_json(transcriber->transcriber->profile());
  });
}

fovea_status fovea_transcribe(fovea_transcriber *transcriber, const float *samples, size_t n_samples,
                              const fovea_transcribe_options *options, fovea_transcript **out) {
  std::unique_ptr<AudioSource> source;
  if (out) *out = nullptr;
  const fovea_status status = guard([&] {
    if (n_samples) require(samples, "samples");
    source = AudioSource::of(std::span(samples, n_samples));
  });
  return status == FOVEA_OK ? transcribe(transcriber, *source, options, out) : status;
}
fovea_status fovea_transcribe_source(fovea_transcriber *transcriber, const fovea_audio_source *source,
                                     const fovea_transcribe_options *options, fovea_transcript **out) {
  std::optional<CallerSource> caller;
  if (out) *out = nullptr;
  const fovea_status status = guard(
      [&] { caller.emplace(read_struct(require(source, "source"), fovea_audio_source{}, "audio source")); });
  return status == FOVEA_OK ? transcribe(transcriber, *caller, options, out) : status;
}

void fovea_transcript_release(fovea_transcript *transcript) { delete transcript; }
const char *fovea_transcript_text(const fovea_transcript *transcript) {
  return transcript ? transcript->text.c_str() : "";
}
size_t fovea_transcript_segment_count(const fovea_transcript *transcript) {
  return transcript ? transcript->segments.size() : 0;
}
const fovea_segment *fovea_transcript_segment(const fovea_transcript *transcript, size_t index) {
  return index < fovea_transcript_segment_count(transcript) ? &transcript->segments[index] : nullptr;
}
const char *fovea_transcript_language(const fovea_transcript *transcript) {
  return transcript ? transcript->transcript.language.c_str() : "";
}
float fovea_transcript_language_probability(const fovea_transcript *transcript) {
  return transcript ? transcript->transcript.language_probability : 0;
}
const fovea_transcribe_timings *fovea_transcript_timings(const fovea_transcript *transcript) {
  return transcript ? &transcript->timings : nullptr;
}

} // extern "C"
