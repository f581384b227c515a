/* Fovea: embeddings (library fovea): a vector for each text or picture, such that those of like meaning have
 * vectors of like direction. Conventions as in fovea.h. */
#ifndef FOVEA_EMBED_H
#define FOVEA_EMBED_H

#include <fovea/pixels.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct fovea_embedder_options {
  size_t struct_size;
  fovea_progress_fn progress; /* of loading weights, in bytes; may be NULL */
  void *user;                 /* for progress */
} fovea_embedder_options;
FOVEA_API void fovea_embedder_options_init(fovea_embedder_options *options, size_t struct_size);

/* An embedding model ready to work. One thread at a time. */
typedef struct fovea_embedder fovea_embedder;
/* `options` may be NULL. Errors: FOVEA_UNSUPPORTED (a model for another task), FOVEA_INVALID_FILE (an
 * incomplete one), and those of fovea_session_create(). */
FOVEA_API fovea_status fovea_embedder_create(fovea_device *device, const fovea_model *model,
                                             const fovea_embedder_options *options, fovea_embedder **out);
FOVEA_API void fovea_embedder_release(fovea_embedder *embedder);
/* 1: what it makes vectors of; a model may take both, into one space. */
FOVEA_API int fovea_embedder_takes_texts(const fovea_embedder *embedder);
FOVEA_API int fovea_embedder_takes_images(const fovea_embedder *embedder);
/* Tokens that a text may have, those that the tokenizer puts around it included; 0: it takes no texts. */
FOVEA_API uint32_t fovea_embedder_max_tokens(const fovea_embedder *embedder);
/* memory->struct_size must be set, as by fovea_memory_init(). */
FOVEA_API fovea_status fovea_embedder_memory(const fovea_embedder *embedder, fovea_memory *memory);

typedef struct fovea_embed_options {
  size_t struct_size;
  const char *prefix;         /* put before every text ("query: "); NULL (default): the model's own, if any */
  const fovea_cancel *cancel; /* may be NULL */
} fovea_embed_options;
FOVEA_API void fovea_embed_options_init(fovea_embed_options *options, size_t struct_size);

/* Read-only: thread-safe. */
typedef struct fovea_embeddings fovea_embeddings;
/* texts: [n_texts], in any order of length: those of like length run side by side, and a text's vector does
 * not depend on its neighbours beyond rounding. A text longer than the model takes loses its end
 * (fovea_embedding_truncated()). `options` may be NULL. Errors: FOVEA_UNSUPPORTED (a model of pictures alone,
 * no tokenizer), FOVEA_INVALID_ARGUMENT, FOVEA_CANCELLED, FOVEA_OUT_OF_MEMORY, FOVEA_DEVICE_LOST,
 * FOVEA_TIMEOUT. */
FOVEA_API fovea_status fovea_embed(fovea_embedder *embedder, const char *const *texts, size_t n_texts,
                                   const fovea_embed_options *options, fovea_embeddings **out);
/* The same for token ids: tokens[i]: [n_tokens[i]], with those that a tokenizer puts around a text. */
FOVEA_API fovea_status fovea_embed_tokens(fovea_embedder *embedder, const int32_t *const *tokens,
                                          const size_t *n_tokens, size_t n_texts,
                                          const fovea_embed_options *options, fovea_embeddings **out);
/* pictures: [n_pictures], of any sizes. `options` may be NULL. Errors: FOVEA_UNSUPPORTED (a model of texts
 * alone), FOVEA_INVALID_ARGUMENT (pixels that are none), and as fovea_embed(). */
FOVEA_API fovea_status fovea_embed_images(fovea_embedder *embedder, const fovea_pixels *pictures,
                                          size_t n_pictures, const fovea_embed_options *options,
                                          fovea_embeddings **out);
FOVEA_API size_t fovea_embeddings_count(const fovea_embeddings *embeddings);
/* Numbers in each vector; 0 without a text. */
FOVEA_API size_t fovea_embeddings_width(const fovea_embeddings *embeddings);
/* [fovea_embeddings_width()], in the order of the texts. NULL when out of range. */
FOVEA_API const float *fovea_embedding(const fovea_embeddings *embeddings, size_t index);
/* 1: the text was too long, and its end was left out. */
FOVEA_API int fovea_embedding_truncated(const fovea_embeddings *embeddings, size_t index);
FOVEA_API void fovea_embeddings_release(fovea_embeddings *embeddings);

#ifdef __cplusplus
}
#endif
#endif
