/* Fovea: texts for pictures (library fovea): captions, lines of writing. Conventions as in fovea.h. */
#ifndef FOVEA_CAPTION_H
#define FOVEA_CAPTION_H

#include <fovea/pixels.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct fovea_captioner_options {
  size_t struct_size;
  fovea_progress_fn progress; /* of loading weights, in bytes; may be NULL */
  void *user;                 /* for progress */
} fovea_captioner_options;
FOVEA_API void fovea_captioner_options_init(fovea_captioner_options *options, size_t struct_size);

/* A model that writes about pictures, ready to work. One thread at a time. */
typedef struct fovea_captioner fovea_captioner;
/* `options` may be NULL. Errors: FOVEA_UNSUPPORTED (a model for another task), FOVEA_INVALID_FILE (an
 * incomplete one), and those of fovea_session_create(). */
FOVEA_API fovea_status fovea_captioner_create(fovea_device *device, const fovea_model *model,
                                              const fovea_captioner_options *options, fovea_captioner **out);
FOVEA_API void fovea_captioner_release(fovea_captioner *captioner);
/* 0: captions are token ids without text. */
FOVEA_API int fovea_captioner_has_tokenizer(const fovea_captioner *captioner);
/* memory->struct_size must be set, as by fovea_memory_init(). */
FOVEA_API fovea_status fovea_captioner_memory(const fovea_captioner *captioner, fovea_memory *memory);

/* Left at 0 (default), each is as the model's publisher set it; without a limit on the length, 256 tokens. */
typedef struct fovea_caption_options {
  size_t struct_size;
  uint32_t beams;      /* sequences searched side by side, 1 … 64: 1 is greedy */
  uint32_t max_tokens; /* of the text */
  uint32_t min_tokens;
  const fovea_cancel *cancel; /* may be NULL */
} fovea_caption_options;
FOVEA_API void fovea_caption_options_init(fovea_caption_options *options, size_t struct_size);

/* Read-only: thread-safe. */
typedef struct fovea_caption fovea_caption;
/* `options` may be NULL. Errors: FOVEA_INVALID_ARGUMENT (pixels that are none, an option out of range),
 * FOVEA_CANCELLED, FOVEA_OUT_OF_MEMORY, FOVEA_DEVICE_LOST, FOVEA_TIMEOUT. */
FOVEA_API fovea_status fovea_caption_image(fovea_captioner *captioner, const fovea_pixels *picture,
                                           const fovea_caption_options *options, fovea_caption **out);
/* Without special tokens; "" for a model without a tokenizer. */
FOVEA_API const char *fovea_caption_text(const fovea_caption *caption);
/* From the start token on, with the end token if it came. */
FOVEA_API const int32_t *fovea_caption_tokens(const fovea_caption *caption);
FOVEA_API size_t fovea_caption_token_count(const fovea_caption *caption);
/* Of beam search: log-probability, divided as the model's length penalty says; 0 of greedy search. */
FOVEA_API float fovea_caption_score(const fovea_caption *caption);
/* 0: cut at max_tokens. */
FOVEA_API int fovea_caption_ended(const fovea_caption *caption);
FOVEA_API void fovea_caption_release(fovea_caption *caption);

#ifdef __cplusplus
}
#endif
#endif
