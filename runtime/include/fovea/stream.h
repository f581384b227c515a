/* Fovea: speech to text while it is spoken (library fovea). Conventions as in fovea.h.
 *
 * A stream takes samples as they come, from a microphone or a call, of any length: memory stays that of a few
 * windows. It finds where someone speaks, hears that, and gives text twice: at once, as it may still change,
 * and settled, for good. Everything settles where the speaker pauses; in long speech, what the model is sure
 * of: with a CTC model words some seconds back, with others what was said when a window of 30 s is full.
 * Settled text depends on the sound alone, not on how it is pushed (and, with a CTC model, on the device where
 * it takes more than a second to hear a window: then less often something settles). Callbacks come on the
 * thread that pushes.
 *
 * A push returns when its sound was heard, which takes as long as the device does: a program that must not
 * wait (an audio callback) keeps samples in a queue of its own and pushes from another thread; then as much
 * at once as there is. */
#ifndef FOVEA_STREAM_H
#define FOVEA_STREAM_H

#include <fovea/transcribe.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Called with all text since the last settled segment, whenever it changes; index counts settled segments.
 * The next call, or the next segment, replaces it: empty text (and times 0) says that nothing is left of it.
 * Return 0 to go on; anything else stops with FOVEA_CANCELLED. `segment` is valid during the call. */
typedef fovea_segment_fn fovea_partial_fn;

typedef struct fovea_stream_options {
  size_t struct_size;
  /* As for fovea_transcribe(); NULL: its defaults. Its callbacks are not called, those below are, and
   * condition_on_previous means nothing: what was said before a pause is no prompt. cancel stops a push,
   * which may be gone on with, and must outlive the stream. */
  const fovea_transcribe_options *transcribe;
  double pause_s;   /* without voice, that ends what is said; default 0.6, 0.2 … 5 */
  double partial_s; /* of sound between two looks at text that may change, at least; default 0.5; 0: none */
  fovea_segment_fn on_segment;   /* settled, in order, each once; may be NULL */
  fovea_partial_fn on_partial;   /* may be NULL */
  fovea_language_fn on_language; /* before the first segment; may be NULL */
  void *user;                    /* for all three */
} fovea_stream_options;
FOVEA_API void fovea_stream_options_init(fovea_stream_options *options, size_t struct_size);

/* One thread at a time, and not while its transcriber does something else. */
typedef struct fovea_stream fovea_stream;
/* Hears silence once, so that the first words need not wait for what is made at first use. `options` may be
 * NULL. Errors: FOVEA_INVALID_ARGUMENT (an option out of range, one that the model cannot have),
 * FOVEA_UNSUPPORTED, FOVEA_CANCELLED, FOVEA_OUT_OF_MEMORY, FOVEA_DEVICE_LOST, FOVEA_TIMEOUT. */
FOVEA_API fovea_status fovea_stream_create(fovea_transcriber *transcriber,
                                           const fovea_stream_options *options, fovea_stream **out);
FOVEA_API void fovea_stream_release(fovea_stream *stream);

/* The next samples: [n_samples] mono in [-1, 1] at fovea_transcriber_sample_rate_hz(), as few or many as
 * there are. Errors: FOVEA_INVALID_ARGUMENT (a sample that is not finite: none are taken; a stream that was
 * finished), FOVEA_CANCELLED, FOVEA_OUT_OF_MEMORY, FOVEA_DEVICE_LOST, FOVEA_TIMEOUT: all are taken, and the
 * next push, or fovea_stream_finish(), goes on where this one stopped, unless the device is lost. */
FOVEA_API fovea_status fovea_stream_push(fovea_stream *stream, const float *samples, size_t n_samples);
/* The end: all that was said settles. Errors as for fovea_stream_push(); it may be called again. */
FOVEA_API fovea_status fovea_stream_finish(fovea_stream *stream);

typedef struct fovea_stream_stats {
  size_t struct_size;
  double audio_s;  /* pushed so far */
  double speech_s; /* of it in utterances, what was heard */
  double busy_s;   /* hearing, wall-clock */
  uint64_t n_utterances;
  uint64_t n_hearings; /* runs of the model, n_partials included */
  uint64_t n_partials; /* looks at text that may change */
} fovea_stream_stats;
FOVEA_API void fovea_stream_stats_init(fovea_stream_stats *stats, size_t struct_size);
/* stats->struct_size must be set, as by fovea_stream_stats_init(). */
FOVEA_API fovea_status fovea_stream_get_stats(const fovea_stream *stream, fovea_stream_stats *stats);

#ifdef __cplusplus
}
#endif
#endif
