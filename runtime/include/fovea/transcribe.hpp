// Speech to text for C++: RAII over transcribe.h, as fovea.hpp is over fovea.h.
#pragma once

#include <fovea/fovea.hpp>
#include <fovea/transcribe.h>

namespace fovea {
inline namespace client {

class Transcript {
public:
  explicit Transcript(fovea_transcript *handle) : handle_(handle) {}
  const char *text() const { return fovea_transcript_text(handle_.get()); }
  size_t n_segments() const { return fovea_transcript_segment_count(handle_.get()); }
  const fovea_segment &segment(size_t i) const { return *fovea_transcript_segment(handle_.get(), i); }
  const char *language() const { return fovea_transcript_language(handle_.get()); }
  float language_probability() const { return fovea_transcript_language_probability(handle_.get()); }
  const fovea_transcribe_timings &timings() const { return *fovea_transcript_timings(handle_.get()); }

private:
  detail::Handle<fovea_transcript, fovea_transcript_release> handle_;
};

/// The struct's own callbacks and user pointer are not used here.
struct TranscribeOptions : fovea_transcribe_options {
  TranscribeOptions() { fovea_transcribe_options_init(this, sizeof(fovea_transcribe_options)); }
};

/// Any may be empty; return false to stop.
struct TranscribeCallbacks {
  std::function<bool(const fovea_segment &)> segment;
  Progress progress; // seconds of audio
  std::function<void(const char *code, float probability)> language;
};

struct TranscriberOptions : fovea_transcriber_options {
  TranscriberOptions() { fovea_transcriber_options_init(this, sizeof(fovea_transcriber_options)); }
};

class Transcriber {
public:
  static Result<Transcriber> create(const Device &device, const Model &model,
                                    const TranscriberOptions &options = {}) {
    fovea_transcriber *handle = nullptr;
    const fovea_status status = fovea_transcriber_create(device.get(), model.get(), &options, &handle);
    return status == FOVEA_OK ? Result<Transcriber>(Transcriber(handle)) : Result<Transcriber>(status);
  }
  uint32_t sample_rate_hz() const { return fovea_transcriber_sample_rate_hz(get()); }
  std::vector<std::string> languages() const {
    std::vector<std::string> all;
    for (size_t i = 0; i < fovea_transcriber_language_count(get()); ++i)
      all.emplace_back(fovea_transcriber_language(get(), i));
    return all;
  }
  Result<Transcript> transcribe(const float *samples, size_t n_samples, const TranscribeOptions &options = {},
                                const TranscribeCallbacks &callbacks = {}) {
    return run(options, callbacks, [&](const fovea_transcribe_options &o, fovea_transcript **out) {
      return fovea_transcribe(get(), samples, n_samples, &o, out);
    });
  }
  Result<Transcript> transcribe(const fovea_audio_source &source, const TranscribeOptions &options = {},
                                const TranscribeCallbacks &callbacks = {}) {
    return run(options, callbacks, [&](const fovea_transcribe_options &o, fovea_transcript **out) {
      return fovea_transcribe_source(get(), &source, &o, out);
    });
  }
  Result<fovea_memory> memory() const {
    fovea_memory memory;
    fovea_memory_init(&memory, sizeof memory);
    const fovea_status status = fovea_transcriber_memory(get(), &memory);
    return status == FOVEA_OK ? Result<fovea_memory>(memory) : Result<fovea_memory>(status);
  }
  Result<std::string> profile() const {
    char *text = nullptr;
    const fovea_status status = fovea_transcriber_profile(get(), &text);
    return detail::take_text(status, text);
  }
  fovea_transcriber *get() const { return handle_.get(); }

private:
  explicit Transcriber(fovea_transcriber *handle) : handle_(handle) {}

  struct Context {
    const TranscribeCallbacks &callbacks;
    detail::Guard guard;
  };
  template <class Call>
  static Result<Transcript> run(fovea_transcribe_options options, const TranscribeCallbacks &callbacks,
                                Call &&call) {
    Context context{callbacks, {}};
    options.user = &context;
    options.on_segment = [](void *user, const fovea_segment *segment) {
      auto &c = *static_cast<Context *>(user);
      return c.guard([&] { return !c.callbacks.segment || c.callbacks.segment(*segment) ? 0 : 1; });
    };
    options.on_progress = [](void *user, double done, double total) {
      auto &c = *static_cast<Context *>(user);
      return c.guard([&] { return !c.callbacks.progress || c.callbacks.progress(done, total) ? 0 : 1; });
    };
    options.on_language = [](void *user, const char *code, float probability) {
      auto &c = *static_cast<Context *>(user);
      c.guard([&] {
        if (c.callbacks.language) c.callbacks.language(code, probability);
        return 0;
      });
    };
    fovea_transcript *transcript = nullptr;
    const fovea_status status = call(options, &transcript);
    Result<Transcript> result =
        status == FOVEA_OK ? Result<Transcript>(Transcript(transcript)) : Result<Transcript>(status);
    context.guard.rethrow();
    return result;
  }
  detail::Handle<fovea_transcriber, fovea_transcriber_release> handle_;
};

inline Result<std::string> subtitle_header(fovea_subtitle_format format) {
  char *text = nullptr;
  const fovea_status status = fovea_subtitle_header(format, &text);
  return detail::take_text(status, text);
}
inline Result<std::string> subtitle_cue(fovea_subtitle_format format, uint32_t &n_cues,
                                        const fovea_segment &segment) {
  char *text = nullptr;
  const fovea_status status =
      fovea_subtitle_cue(format, &n_cues, segment.start_s, segment.end_s, segment.text, &text);
  return detail::take_text(status, text);
}

} // namespace client
} // namespace fovea
