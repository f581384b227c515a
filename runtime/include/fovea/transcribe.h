/* Fovea: speech to text (library fovea). Conventions as in fovea.h. fovea/audio.h reads recordings.
 */
#ifndef FOVEA_TRANSCRIBE_H
#define FOVEA_TRANSCRIBE_H

#include <fovea/fovea.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct fovea_transcriber_options {
  size_t struct_size;
  uint32_t beam; /* sequences searched side by side, 1 … 15: 1 is greedy; texts, 1 … 1024, of CTC models with a
                    language model, without which they take 1; 0 (default): what the file says, else 1 */
  int profile;   /* 1: time every dispatch, for fovea_transcriber_profile() */
  fovea_progress_fn progress; /* of loading weights, in bytes; may be NULL */
  void *user;                 /* for progress */
} fovea_transcriber_options;
FOVEA_API void fovea_transcriber_options_init(fovea_transcriber_options *options, size_t struct_size);

/* A speech model ready to transcribe. One thread at a time. */
typedef struct fovea_transcriber fovea_transcriber;
/* `options` may be NULL. Errors: FOVEA_UNSUPPORTED (not a speech model), FOVEA_INVALID_FILE (an incomplete
 * one), FOVEA_INVALID_ARGUMENT (beam), and those of fovea_session_create(). */
FOVEA_API fovea_status fovea_transcriber_create(fovea_device *device, const fovea_model *model,
                                                const fovea_transcriber_options *options,
                                                fovea_transcriber **out);
FOVEA_API void fovea_transcriber_release(fovea_transcriber *transcriber);
/* Samples per second that fovea_transcribe() takes (16000 of nearly every model). */
FOVEA_API uint32_t fovea_transcriber_sample_rate_hz(const fovea_transcriber *transcriber);
/* Codes of the languages that the model knows ("en", "de" …): only "en" for an English-only model, none for a
 * CTC model, which is not told its language. NULL when `index` is out of range. */
FOVEA_API size_t fovea_transcriber_language_count(const fovea_transcriber *transcriber);
FOVEA_API const char *fovea_transcriber_language(const fovea_transcriber *transcriber, size_t index);
/* memory->struct_size must be set, as by fovea_memory_init(). */
FOVEA_API fovea_status fovea_transcriber_memory(const fovea_transcriber *transcriber, fovea_memory *memory);
/* GPU times of every dispatch so far, summed by statement and kernel, most time first, as JSON (docs/api.md).
 * Error FOVEA_UNSUPPORTED when the transcriber was made without profile, or the device has no timestamps. */
FOVEA_API fovea_status fovea_transcriber_profile(const fovea_transcriber *transcriber, char **out);

/* A recording that is read piece by piece, twice from its beginning: mono samples in [-1, 1] at the
 * transcriber's rate. fovea/audio.h makes one of a file. A function that returns another status than FOVEA_OK
 * ends the transcription with it, and with the message that it left in fovea_set_last_error(). */
typedef struct fovea_audio_source {
  size_t struct_size;
  void *user; /* for both functions */
  /* Fills samples: [capacity] and sets *n_read; fewer than asked only at the end, then 0. */
  fovea_status (*read)(void *user, float *samples, size_t capacity, size_t *n_read);
  /* Back to the first sample. */
  fovea_status (*rewind)(void *user);
  const char *name; /* what errors call it; NULL: "audio" */
} fovea_audio_source;
FOVEA_API void fovea_audio_source_init(fovea_audio_source *source, size_t struct_size);

/* A word of a segment. Its size does not change with later libraries. */
typedef struct fovea_word {
  double start_s, end_s; /* from the beginning of the audio */
  const char *text;      /* UTF-8, without spaces */
  float probability;     /* geometric mean of its tokens' */
} fovea_word;

/* A stretch of speech. */
typedef struct fovea_segment {
  size_t struct_size;
  uint32_t index;        /* 0, 1 … */
  double start_s, end_s; /* from the beginning of the audio; never before the previous segment's */
  const char *text;      /* as the model writes it, mostly with a leading space */
  const int32_t *tokens; /* [n_tokens] ids of text and times, in order */
  size_t n_tokens;
  /* Of the window that it was decided in: */
  float avg_logprob;           /* mean natural logarithm of its tokens' probabilities */
  float compression_ratio;     /* bytes of text per byte compressed: high when it repeats itself */
  float no_speech_probability; /* 0 when the model has no such token */
  float temperature;           /* 0: most likely; else sampled */
  /* [n_words], of a CTC model; then avg_logprob is the segment's own, and the other figures of the window are
   * 0. NULL and 0 of a model that does not tell when a word was said. */
  const fovea_word *words;
  size_t n_words;
} fovea_segment;

/* Called with each segment once it is decided, in order. Return 0 to go on; anything else stops with
 * FOVEA_CANCELLED. `segment` is valid during the call. */
typedef int (*fovea_segment_fn)(void *user, const fovea_segment *segment);
/* Called once, before the first segment; not for a model without languages. */
typedef void (*fovea_language_fn)(void *user, const char *code, float probability);

/* A threshold that is NaN is off. With a CTC model, whose words are read off the sound frame by frame, a
 * language, translate, a prompt and a temperature above 0 are errors, timestamps and the callbacks
 * hold, and the rest means nothing. */
typedef struct fovea_transcribe_options {
  size_t struct_size;
  const char
      *language;  /* "en", "de" …; NULL: detected from the first 30 s (an English-only model is English) */
  int translate;  /* 1: into English; multilingual models only */
  int timestamps; /* 1 (default): segments end where the model hears them end; 0: one for each 30 s */
  float temperature; /* default 0: the most likely tokens; above: sampled */
  int fallback; /* 1 (default): what fails a threshold is tried again at temperature + 0.2, + 0.4 … 1.0 */
  float compression_ratio_threshold; /* default 2.4: text above it repeats itself */
  float logprob_threshold;           /* default -1: text with a lower mean is improbable */
  float no_speech_threshold;         /* default 0.6: a window above it, with improbable text, is silence */
  uint32_t best_of;                  /* samples tried at temperatures above 0; default 5 */
  uint64_t seed;                     /* of sampling: the same seed and device give the same text; default 0 */
  float patience;                    /* beam search ends with beam x patience finished sequences; default 1 */
  float length_penalty; /* exponent of the length that log-probabilities are divided by; default NaN: 1 */
  int condition_on_previous;     /* 1 (default): each window is given the text before it */
  const char *prompt;            /* text that might stand before the audio: names, spelling, style; or NULL */
  float max_initial_timestamp_s; /* a window's first segment starts no later; default 1; NaN: no limit */
  uint32_t max_tokens;           /* of one window; 0 (default): half of the model's context */
  fovea_segment_fn on_segment;   /* may be NULL */
  fovea_progress_fn on_progress; /* in seconds of audio; may be NULL */
  fovea_language_fn on_language; /* may be NULL */
  void *user;                    /* for all three */
  const fovea_cancel *cancel;    /* may be NULL */
} fovea_transcribe_options;
FOVEA_API void fovea_transcribe_options_init(fovea_transcribe_options *options, size_t struct_size);

/* What was said. Read-only: thread-safe. */
typedef struct fovea_transcript fovea_transcript;
/* samples: [n_samples] mono in [-1, 1] at fovea_transcriber_sample_rate_hz(), of any length. `options` may be
 * NULL. After an error the transcriber may be used again, unless the device is lost. Errors:
 * FOVEA_INVALID_ARGUMENT (no samples, one that is not finite, an option out of range, a language that the
 * model lacks), FOVEA_CANCELLED, FOVEA_OUT_OF_MEMORY, FOVEA_DEVICE_LOST, FOVEA_TIMEOUT. */
FOVEA_API fovea_status fovea_transcribe(fovea_transcriber *transcriber, const float *samples,
                                        size_t n_samples, const fovea_transcribe_options *options,
                                        fovea_transcript **out);
/* The same, reading the samples as they are needed: memory stays that of one window of 30 s (CTC: 20 s).
 * Errors also: what the source's functions return. */
FOVEA_API fovea_status fovea_transcribe_source(fovea_transcriber *transcriber,
                                               const fovea_audio_source *source,
                                               const fovea_transcribe_options *options,
                                               fovea_transcript **out);
FOVEA_API void fovea_transcript_release(fovea_transcript *transcript);
/* All segments' text, joined, without surrounding spaces. */
FOVEA_API const char *fovea_transcript_text(const fovea_transcript *transcript);
FOVEA_API size_t fovea_transcript_segment_count(const fovea_transcript *transcript);
/* NULL when out of range. */
FOVEA_API const fovea_segment *fovea_transcript_segment(const fovea_transcript *transcript, size_t index);
/* "en" …, and how sure the model is (1 when it was given); "" and 0 of a model without languages. */
FOVEA_API const char *fovea_transcript_language(const fovea_transcript *transcript);
FOVEA_API float fovea_transcript_language_probability(const fovea_transcript *transcript);

/* Wall-clock seconds; those below total_s are parts of it and contain waiting for the device. */
typedef struct fovea_transcribe_timings {
  size_t struct_size;
  double audio_s;    /* length of the audio */
  double total_s;    /* of the call */
  double peak_s;     /* first reading of the audio */
  double features_s; /* second reading, and spectra */
  double encode_s;
  double prompt_s; /* first step of each window */
  double decode_s; /* all other steps */
  uint64_t n_windows;
  uint64_t n_tokens; /* decoded, those of rejected attempts included */
} fovea_transcribe_timings;
FOVEA_API const fovea_transcribe_timings *fovea_transcript_timings(const fovea_transcript *transcript);

typedef enum fovea_subtitle_format {
  FOVEA_SUBTITLE_TEXT = 0, /* a line per segment */
  FOVEA_SUBTITLE_SRT = 1,  /* SubRip */
  FOVEA_SUBTITLE_VTT = 2,  /* WebVTT */
  FOVEA_SUBTITLE_32_BITS = 0x7fffffff
} fovea_subtitle_format;

/* What a file of that format begins with: "" but for VTT. */
FOVEA_API fovea_status fovea_subtitle_header(fovea_subtitle_format format, char **out);
/* One segment as a cue, escaped as the format wants. *n_cues (0 before the first) counts them; a segment
 * without text gives "" and is not counted. */
FOVEA_API fovea_status fovea_subtitle_cue(fovea_subtitle_format format, uint32_t *n_cues, double start_s,
                                          double end_s, const char *text, char **out);

#ifdef __cplusplus
}
#endif
#endif
