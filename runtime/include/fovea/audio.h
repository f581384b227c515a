/* Fovea: sound files as the samples that models take (library fovea_audio, which uses libsndfile and
 * libsoxr).
 *
 * WAV, FLAC, OGG Vorbis and Opus, MP3, AIFF, CAF …, any rate and number of channels: channels are averaged,
 * other rates resampled. Conventions as in fovea.h. A reader is used from one thread at a time; a fovea_audio
 * is read-only. */
#ifndef FOVEA_AUDIO_H
#define FOVEA_AUDIO_H

#include <fovea/transcribe.h>

#ifdef __cplusplus
extern "C" {
#endif

/* A whole recording in memory. */
typedef struct fovea_audio fovea_audio;

/* Reads `path`, or standard input for "-", as mono at `rate_hz` (1000 … 1000000; speech models take 16000).
 * More than `max_duration_s` of sound is an error (0: 24 hours). Errors name the file: FOVEA_NOT_FOUND,
 * FOVEA_IO, FOVEA_INVALID_FILE (empty, not audio, broken data, a sample that is not finite). */
FOVEA_API fovea_status fovea_audio_read(const char *path, uint32_t rate_hz, double max_duration_s,
                                        fovea_audio **out);
/* The same from an encoded file in memory; `name` is what errors call it. */
FOVEA_API fovea_status fovea_audio_read_memory(const void *bytes, size_t n_bytes, const char *name,
                                               uint32_t rate_hz, double max_duration_s, fovea_audio **out);
/* [fovea_audio_sample_count()] mono samples, in [-1, 1] but for floating-point files that go beyond. */
FOVEA_API const float *fovea_audio_samples(const fovea_audio *audio);
FOVEA_API size_t fovea_audio_sample_count(const fovea_audio *audio);
FOVEA_API double fovea_audio_duration_s(const fovea_audio *audio);
FOVEA_API void fovea_audio_release(fovea_audio *audio);

/* A recording read piece by piece, for what should not be in memory whole. One thread at a time. */
typedef struct fovea_audio_reader fovea_audio_reader;
/* `path` as for fovea_audio_read(); standard input is kept in memory, so that it can be read again. Errors as
 * there. */
FOVEA_API fovea_status fovea_audio_reader_open(const char *path, uint32_t rate_hz, fovea_audio_reader **out);
/* Fills samples: [capacity] and sets *n_read; fewer than asked only at the end, then 0. */
FOVEA_API fovea_status fovea_audio_reader_read(fovea_audio_reader *reader, float *samples, size_t capacity,
                                               size_t *n_read);
/* Back to the first sample. */
FOVEA_API fovea_status fovea_audio_reader_rewind(fovea_audio_reader *reader);
/* What fovea_transcribe_source() takes; it uses the reader, which must outlive it. */
FOVEA_API fovea_audio_source fovea_audio_reader_source(fovea_audio_reader *reader);
FOVEA_API void fovea_audio_reader_release(fovea_audio_reader *reader);

#ifdef __cplusplus
}
#endif
#endif
