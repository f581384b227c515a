/* Fovea: text to text (library fovea): translation, summaries, spelling to sounds … by encoder-decoder
 * models. Conventions as in fovea.h. */
#ifndef FOVEA_TRANSLATE_H
#define FOVEA_TRANSLATE_H

#include <fovea/fovea.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct fovea_translator_options {
  size_t struct_size;
  uint32_t max_batch;         /* texts side by side, rounded down to a power of two; default 8 */
  fovea_progress_fn progress; /* of loading weights, in bytes; may be NULL */
  void *user;                 /* for progress */
} fovea_translator_options;
FOVEA_API void fovea_translator_options_init(fovea_translator_options *options, size_t struct_size);

/* A text-to-text model ready to work. One thread at a time. */
typedef struct fovea_translator fovea_translator;
/* `options` may be NULL. Errors: FOVEA_UNSUPPORTED (a model for another task), FOVEA_INVALID_FILE (an
 * incomplete one), and those of fovea_session_create(). */
FOVEA_API fovea_status fovea_translator_create(fovea_device *device, const fovea_model *model,
                                               const fovea_translator_options *options,
                                               fovea_translator **out);
FOVEA_API void fovea_translator_release(fovea_translator *translator);
/* 1: texts can be given; 0: the file has no tokenizer, only fovea_translate_tokens() works. */
FOVEA_API int fovea_translator_has_tokenizer(const fovea_translator *translator);
/* Names of the tasks that the model's publisher gave settings for ("summarization", "translation_en_to_de"
 * …). NULL when `index` is out of range. */
FOVEA_API size_t fovea_translator_task_count(const fovea_translator *translator);
FOVEA_API const char *fovea_translator_task(const fovea_translator *translator, size_t index);
/* memory->struct_size must be set, as by fovea_memory_init(). */
FOVEA_API fovea_status fovea_translator_memory(const fovea_translator *translator, fovea_memory *memory);

typedef enum fovea_early_stopping {
  FOVEA_EARLY_STOPPING_MODEL = 0, /* as the model's publisher set it */
  FOVEA_EARLY_STOPPING_NO =
      1, /* a beam search ends when no live sequence could still win at its present length */
  FOVEA_EARLY_STOPPING_YES = 2,   /* with as many finished sequences as beams */
  FOVEA_EARLY_STOPPING_NEVER = 3, /* when no live sequence could still win at any length */
  FOVEA_EARLY_STOPPING_32_BITS = 0x7fffffff
} fovea_early_stopping;

/* Left at its default, each is as the model's publisher set it; names and meanings are those of Hugging
 * Face's generation_config.json. */
typedef struct fovea_translate_options {
  size_t struct_size;
  const char *task;    /* settings of one of the model's tasks; NULL (default): none of them */
  const char *prefix;  /* put before every text; NULL (default): the task's */
  const char *target;  /* a token of the vocabulary that the output begins with: the language, for models that
                        * are told it  so ("de_DE"); NULL (default) */
  uint32_t beams;      /* sequences searched side by side, 1 … 64: 1 is greedy; 0 (default) */
  uint32_t max_tokens; /* of the output; 0 (default): the model's, else 256 */
  uint32_t min_tokens; /* of the output; 0 (default) */
  float length_penalty;     /* exponent of the length that log-probabilities are divided by; NaN (default) */
  float repetition_penalty; /* above 1: tokens already written are less likely; NaN (default) */
  int32_t no_repeat_ngram;  /* no run of so many tokens twice; 0: off; -1 (default) */
  fovea_early_stopping early_stopping;
  const fovea_cancel *cancel; /* may be NULL */
} fovea_translate_options;
FOVEA_API void fovea_translate_options_init(fovea_translate_options *options, size_t struct_size);

typedef struct fovea_translation {
  size_t struct_size;
  const char *text;      /* without special tokens; "" without a tokenizer */
  const int32_t *tokens; /* [n_tokens], from the start token on, with the end token if it came */
  size_t n_tokens;
  float score;          /* of beam search: mean log-probability under the length penalty; greedy: 0 */
  int ended;            /* 0: cut at max_tokens */
  int source_truncated; /* 1: the source was longer than the model takes, its end was left out */
} fovea_translation;

/* Read-only: thread-safe. */
typedef struct fovea_translations fovea_translations;
/* texts: [n_texts], in any order of length: those of like length run side by side. The result of an empty
 * text is empty. `options` may be NULL. Errors: FOVEA_UNSUPPORTED (no tokenizer), FOVEA_INVALID_ARGUMENT (an
 * option out of range, a task or a token that the model lacks), FOVEA_CANCELLED, FOVEA_OUT_OF_MEMORY,
 * FOVEA_DEVICE_LOST, FOVEA_TIMEOUT. */
FOVEA_API fovea_status fovea_translate(fovea_translator *translator, const char *const *texts, size_t n_texts,
                                       const fovea_translate_options *options, fovea_translations **out);
/* The same for token ids: tokens[i]: [n_tokens[i]], with those that a tokenizer puts around a text. */
FOVEA_API fovea_status fovea_translate_tokens(fovea_translator *translator, const int32_t *const *tokens,
                                              const size_t *n_tokens, size_t n_texts,
                                              const fovea_translate_options *options,
                                              fovea_translations **out);
FOVEA_API size_t fovea_translations_count(const fovea_translations *translations);
/* In the order of the texts. NULL when out of range. */
FOVEA_API const fovea_translation *fovea_translations_get(const fovea_translations *translations,
                                                          size_t index);
FOVEA_API void fovea_translations_release(fovea_translations *translations);

#ifdef __cplusplus
}
#endif
#endif
