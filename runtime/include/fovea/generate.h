/* Fovea: text that continues a prompt or answers a conversation (library fovea). Conventions as in fovea.h.
 */
#ifndef FOVEA_GENERATE_H
#define FOVEA_GENERATE_H

#include <fovea/fovea.h>

#ifdef __cplusplus
extern "C" {
#endif

/* How the keys and values of what was read are kept. */
typedef enum fovea_cache_encoding {
  FOVEA_CACHE_DEFAULT = 0, /* as the model file says: f16, or f32 in a file of f32 */
  FOVEA_CACHE_F16 = 1,
  FOVEA_CACHE_Q8 = 2, /* about half of f16's memory, slightly less exact */
  FOVEA_CACHE_32_BITS = 0x7fffffff
} fovea_cache_encoding;

typedef struct fovea_generator_options {
  size_t struct_size;
  uint32_t context; /* tokens that fit, prompt and reply together; 0 (default): the model's, or 4096 */
  uint32_t chunk;   /* most tokens of a prompt in one run; default 512 */
  int profile;      /* 1: time every dispatch, for fovea_generator_profile() */
  fovea_progress_fn progress; /* of loading weights, in bytes; may be NULL */
  void *user;                 /* for progress */
  fovea_cache_encoding cache; /* default FOVEA_CACHE_DEFAULT */
} fovea_generator_options;
FOVEA_API void fovea_generator_options_init(fovea_generator_options *options, size_t struct_size);

/* A model that continues text, ready to. One thread at a time. */
typedef struct fovea_generator fovea_generator;
/* `options` may be NULL. Errors: FOVEA_UNSUPPORTED (the model does not continue text), FOVEA_INVALID_FILE (an
 * incomplete one), FOVEA_INVALID_ARGUMENT (context, chunk, cache), and those of fovea_session_create(). */
FOVEA_API fovea_status fovea_generator_create(fovea_device *device, const fovea_model *model,
                                              const fovea_generator_options *options, fovea_generator **out);
FOVEA_API void fovea_generator_release(fovea_generator *generator);
/* Tokens that fit, prompt and reply together. */
FOVEA_API uint32_t fovea_generator_context(const fovea_generator *generator);
/* How the model writes conversations ("chatml" ...); NULL when the file does not say: no fovea_chat(). */
FOVEA_API const char *fovea_generator_chat_format(const fovea_generator *generator);
/* memory->struct_size must be set, as by fovea_memory_init(). */
FOVEA_API fovea_status fovea_generator_memory(const fovea_generator *generator, fovea_memory *memory);
/* As fovea_transcriber_profile() in transcribe.h. */
FOVEA_API fovea_status fovea_generator_profile(const fovea_generator *generator, char **out);

/* Text as it comes: whole characters, NUL-terminated, valid during the call. Return 0 to go on; anything else
 * stops with FOVEA_CANCELLED. */
typedef int (*fovea_text_fn)(void *user, const char *text);

/* NaN, and UINT32_MAX for top_k: as the model's publisher recommends, which is the likeliest token
 * (temperature 0) where they do not say. */
typedef struct fovea_generate_options {
  size_t struct_size;
  uint32_t max_tokens;     /* of the reply; 0 (default): until the model ends, or the context is full */
  float temperature;       /* 0: the likeliest token; above: sampled; default NaN */
  uint32_t top_k;          /* from so many likeliest; 0: from all; default UINT32_MAX */
  float top_p;             /* from the likeliest that together reach this probability; default NaN */
  float min_p;             /* from those at least this likely, relative to the likeliest; default NaN */
  float repeat_penalty;    /* logits of tokens that are there already: divided by it when positive, multiplied
                            * when negative; 1: none; default NaN */
  uint64_t seed;           /* the same seed, prompt and device give the same text; default 0 */
  const char *const *stop; /* [n_stop] texts that end the reply and are not part of it */
  size_t n_stop;
  int ignore_end;        /* 1: go on past tokens that end a text */
  int special;           /* 1: control tokens written in a prompt are read as such (never in fovea_chat()) */
  fovea_text_fn on_text; /* may be NULL */
  void *user;            /* for on_text */
  const fovea_cancel *cancel; /* may be NULL */
} fovea_generate_options;
FOVEA_API void fovea_generate_options_init(fovea_generate_options *options, size_t struct_size);

/* A reply. Read-only: thread-safe. */
typedef struct fovea_generation fovea_generation;
/* Continues `prompt` (UTF-8; "" where the model has a token that texts begin with). `options` may be NULL.
 * The reply ends with a token that the model ends with, a stop text, max_tokens, or the context: nothing is
 * shifted out of a full one. Errors: FOVEA_INVALID_ARGUMENT (an option out of range; a prompt that is empty
 * where it must not be, or longer than the context), FOVEA_UNSUPPORTED (the file has no tokenizer),
 * FOVEA_CANCELLED, FOVEA_OUT_OF_MEMORY, FOVEA_DEVICE_LOST, FOVEA_TIMEOUT. After an error the generator may be
 * used again, unless the device is lost. */
FOVEA_API fovea_status fovea_generate(fovea_generator *generator, const char *prompt,
                                      const fovea_generate_options *options, fovea_generation **out);
/* The same for token ids: [n_tokens], at least one. Needs no tokenizer; without one the reply has no text. */
FOVEA_API fovea_status fovea_generate_from_tokens(fovea_generator *generator, const int32_t *tokens,
                                                  size_t n_tokens, const fovea_generate_options *options,
                                                  fovea_generation **out);

/* A turn of a conversation. Never grows: arrays of it are passed. */
typedef struct fovea_message {
  const char *role;    /* "system" (first, if at all), then "user" and "assistant" in turns */
  const char *content; /* words: control tokens written in it are words, too */
} fovea_message;
/* The reply to a conversation whose last message is the user's, written as the model was trained to read it.
 * What the last call has in common with this one is not read again. Errors also: FOVEA_UNSUPPORTED (no chat
 * format). */
FOVEA_API fovea_status fovea_chat(fovea_generator *generator, const fovea_message *messages,
                                  size_t n_messages, const fovea_generate_options *options,
                                  fovea_generation **out);

FOVEA_API void fovea_generation_release(fovea_generation *generation);
/* Control tokens and stop texts left out; valid UTF-8. */
FOVEA_API const char *fovea_generation_text(const fovea_generation *generation);
/* The reply's ids, without a token that ended it; *n_tokens gets their number. */
FOVEA_API const int32_t *fovea_generation_tokens(const fovea_generation *generation, size_t *n_tokens);
/* The prompt's, as the model was given it. */
FOVEA_API const int32_t *fovea_generation_prompt(const fovea_generation *generation, size_t *n_tokens);

typedef enum fovea_finish {
  FOVEA_FINISH_END = 0,     /* the model ended its text */
  FOVEA_FINISH_STOP = 1,    /* a stop text came */
  FOVEA_FINISH_LENGTH = 2,  /* max_tokens */
  FOVEA_FINISH_CONTEXT = 3, /* the context is full */
  FOVEA_FINISH_32_BITS = 0x7fffffff
} fovea_finish;
FOVEA_API fovea_finish fovea_generation_finish(const fovea_generation *generation);
/* "end", "stop", "length", "context". Static. */
FOVEA_API const char *fovea_finish_name(fovea_finish finish);

/* Wall-clock seconds. */
typedef struct fovea_generate_timings {
  size_t struct_size;
  double total_s;       /* of the call */
  double prompt_s;      /* reading the prompt, to the first token of the reply */
  double generate_s;    /* the rest */
  uint64_t n_prompt;    /* tokens of the prompt */
  uint64_t n_reused;    /* of those, what was read by an earlier call */
  uint64_t n_generated; /* of the reply, with the one that ended it */
} fovea_generate_timings;
FOVEA_API const fovea_generate_timings *fovea_generation_timings(const fovea_generation *generation);

#ifdef __cplusplus
}
#endif
#endif
