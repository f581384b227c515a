// Audio files behind the C interface: the library fovea_audio, which libfovea itself does not need.
#include "api/guard.h"

#include "audio/audio.h"
#include "tasks/transcribe.h"

#include <fovea/audio.h>

using namespace fovea;
using namespace fovea::api;

namespace {

constexpr double kDay = 24 * 3600.0;

double limit(double max_duration_s) { return max_duration_s > 0 ? max_duration_s : kDay; }

} // namespace

struct fovea_audio {
  Audio audio;
};

struct fovea_audio_reader {
  std::unique_ptr<AudioSource> source;
  std::string name;
};

extern "C" {

fovea_status fovea_audio_read(const char *path, uint32_t rate_hz, double max_duration_s, fovea_audio **out) {
  return create(out, [&] {
    return std::make_unique<fovea_audio>(
        fovea_audio{read_audio(std::string(require(path, "path")), rate_hz, limit(max_duration_s))});
  });
}
fovea_status fovea_audio_read_memory(const void *bytes, size_t n_bytes, const char *name, uint32_t rate_hz,
                                     double max_duration_s, fovea_audio **out) {
  return create(out, [&] {
    const std::span file(static_cast<const std::byte *>(require(bytes, "bytes")), n_bytes);
    return std::make_unique<fovea_audio>(
        fovea_audio{read_audio(file, name ? name : "audio", rate_hz, limit(max_duration_s))});
  });
}
const float *fovea_audio_samples(const fovea_audio *audio) {
  return audio ? audio->audio.samples.data() : nullptr;
}
size_t fovea_audio_sample_count(const fovea_audio *audio) { return audio ? audio->audio.samples.size() : 0; }
double fovea_audio_duration_s(const fovea_audio *audio) { return audio ? audio->audio.duration_s() : 0; }
void fovea_audio_release(fovea_audio *audio) { delete audio; }

fovea_status fovea_audio_reader_open(const char *path, uint32_t rate_hz, fovea_audio_reader **out) {
  return create(out, [&] {
    auto reader = std::make_unique<fovea_audio_reader>();
    reader->source = AudioSource::open(std::string(require(path, "path")), rate_hz);
    reader->name = reader->source->name();
    return reader;
  });
}
fovea_status fovea_audio_reader_read(fovea_audio_reader *reader, float *samples, size_t capacity,
                                     size_t *n_read) {
  if (n_read) *n_read = 0;
  return guard([&] {
    require(reader, "reader");
    if (capacity) require(samples, "samples");
    *require(n_read, "n_read") = reader->source->read({samples, capacity});
  });
}
fovea_status fovea_audio_reader_rewind(fovea_audio_reader *reader) {
  return guard([&] { require(reader, "reader")->source->rewind(); });
}
fovea_audio_source fovea_audio_reader_source(fovea_audio_reader *reader) {
  fovea_audio_source source{};
  source.struct_size = sizeof source;
  source.user = reader;
  source.read = [](void *user, float *samples, size_t capacity, size_t *n_read) {
    return fovea_audio_reader_read(static_cast<fovea_audio_reader *>(user), samples, capacity, n_read);
  };
  source.rewind = [](void *user) {
    return fovea_audio_reader_rewind(static_cast<fovea_audio_reader *>(user));
  };
  source.name = reader ? reader->name.c_str() : nullptr;
  return source;
}
void fovea_audio_reader_release(fovea_audio_reader *reader) { delete reader; }

} // extern "C"
