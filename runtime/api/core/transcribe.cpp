#include "api/handles.h"
#include "api/json.h"

#include "tasks/file_tasks.h"
#include "tasks/transcribe.h"

#include <fovea/transcribe.h>

#include <cmath>

using namespace fovea;
using namespace fovea::api;

namespace {

constexpr float kOff = std::numeric_limits<float>::quiet_NaN();

const fovea_transcriber_options kTranscriberDefaults = {sizeof(fovea_transcriber_options), 1, 0, nullptr,
                                                        nullptr};

fovea_transcribe_options transcribe_defaults() {
  fovea_transcribe_options o{};
  o.struct_size = sizeof o;
  o.timestamps = 1;
  o.fallback = 1;
  o.compression_ratio_threshold = 2.4f;
  o.logprob_threshold = -1.0f;
  o.no_speech_threshold = 0.6f;
  o.best_of = 5;
  o.patience = 1.0f;
  o.length_penalty = kOff;
  o.condition_on_previous = 1;
  o.max_initial_timestamp_s = 1.0f;
  return o;
}

std::optional<float> threshold(float value) {
  return std::isnan(value) ? std::nullopt : std::optional(value);
}

/// temperature, + 0.2, + 0.4 … up to 1.
std::vector<float> temperatures(float first, bool fallback) {
  if (!(first >= 0 && std::isfinite(first)))
    fail(ErrorCode::InvalidArgument, "temperature is ", first, ", expected 0 or more");
  std::vector<float> all = {first};
  for (int i = 1; fallback && first + 0.2f * float(i) < 1.0f + 1e-4f; ++i)
    all.push_back(first + 0.2f * float(i));
  return all;
}

TranscribeOptions to_options(const fovea_transcribe_options &o) {
  TranscribeOptions to;
  if (o.language) to.language = o.language;
  to.translate = o.translate != 0;
  to.timestamps = o.timestamps != 0;
  to.temperatures = temperatures(o.temperature, o.fallback != 0);
  to.compression_ratio_threshold = threshold(o.compression_ratio_threshold);
  to.logprob_threshold = threshold(o.logprob_threshold);
  to.no_speech_threshold = threshold(o.no_speech_threshold);
  to.best_of = o.best_of;
  to.seed = o.seed;
  to.patience = o.patience;
  to.length_penalty = threshold(o.length_penalty);
  to.condition_on_previous_text = o.condition_on_previous != 0;
  if (o.prompt) to.initial_prompt = o.prompt;
  to.max_initial_timestamp_s = std::isnan(o.max_initial_timestamp_s) ? -1.0f : o.max_initial_timestamp_s;
  to.max_tokens_per_window = o.max_tokens;
  to.cancel = flag(o.cancel);
  return to;
}

std::vector<fovea_word> words_of(const TranscriptSegment &segment) {
  std::vector<fovea_word> out;
  for (const TranscriptWord &w : segment.words)
    out.push_back({w.start_s, w.end_s, w.text.c_str(), w.probability});
  return out;
}

/// A view of `segment` and of its words, which must outlive it.
fovea_segment view_of(const TranscriptSegment &segment, const std::vector<fovea_word> &words, size_t index) {
  return {sizeof(fovea_segment),
          uint32_t(index),
          segment.start_s,
          segment.end_s,
          segment.text.c_str(),
          segment.tokens.data(),
          segment.tokens.size(),
          segment.avg_logprob,
          segment.compression_ratio,
          segment.no_speech_prob,
          segment.temperature,
          words.empty() ? nullptr : words.data(),
          words.size()};
}

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

struct fovea_transcriber {
  std::shared_ptr<vk::Device> device;
  bool profile;
  Transcriber transcriber;
};

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
            ->transcriber.transcribe(source, to_options(given), to_callbacks(given)));
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
    return std::make_unique<fovea_transcriber>(
        fovea_transcriber{device->device, wanted.timestamps,
                          Transcriber(device->device, model->model,
                                      model->weights(*device, given.progress, given.user), wanted)});
  });
}
void fovea_transcriber_release(fovea_transcriber *transcriber) { delete transcriber; }

uint32_t fovea_transcriber_sample_rate_hz(const fovea_transcriber *transcriber) {
  return transcriber ? transcriber->transcriber.sample_rate_hz() : 0;
}
size_t fovea_transcriber_language_count(const fovea_transcriber *transcriber) {
  return transcriber ? transcriber->transcriber.languages().size() : 0;
}
const char *fovea_transcriber_language(const fovea_transcriber *transcriber, size_t index) {
  return index < fovea_transcriber_language_count(transcriber)
             ? transcriber->transcriber.languages()[index].c_str()
             : nullptr;
}
fovea_status fovea_transcriber_memory(const fovea_transcriber *transcriber, fovea_memory *memory) {
  return guard([&] { write_memory(memory, require(transcriber, "transcriber")->transcriber.memory()); });
}
fovea_status fovea_transcriber_profile(const fovea_transcriber *transcriber, char **out) {
  return create_text(out, [&] {
    require(transcriber, "transcriber");
    if (!transcriber->profile)
      fail(ErrorCode::Unsupported, "no profile: the transcriber was not made with profile = 1");
    if (transcriber->device->caps().timestamp_period_ns <= 0)
      fail(ErrorCode::Unsupported, "no profile: ", transcriber->device->name(), " has no timestamps");
    return profile_json(transcriber->transcriber.profile());
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
