/* Fovea: classification (library fovea): how much each of a model's labels fits. What a model takes, texts or
 * pictures, is its own matter: fovea_classifier_input(). Conventions as in fovea.h. */
#ifndef FOVEA_CLASSIFY_H
#define FOVEA_CLASSIFY_H

#include <fovea/pixels.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct fovea_classifier_options {
  size_t struct_size;
  fovea_progress_fn progress; /* of loading weights, in bytes; may be NULL */
  void *user;                 /* for progress */
} fovea_classifier_options;
FOVEA_API void fovea_classifier_options_init(fovea_classifier_options *options, size_t struct_size);

/* A classifier ready to work. One thread at a time. */
typedef struct fovea_classifier fovea_classifier;
/* `options` may be NULL. Errors: FOVEA_UNSUPPORTED (a model for another task, or of an input that this
 * library does not know), FOVEA_INVALID_FILE (an incomplete one), and those of fovea_session_create(). */
FOVEA_API fovea_status fovea_classifier_create(fovea_device *device, const fovea_model *model,
                                               const fovea_classifier_options *options,
                                               fovea_classifier **out);
FOVEA_API void fovea_classifier_release(fovea_classifier *classifier);
/* What it classifies: "text" or "image". */
FOVEA_API const char *fovea_classifier_input(const fovea_classifier *classifier);
/* 1: the labels are the caller's, to be given by fovea_classifier_set_labels() first: a model of pictures and
 * texts in one space. */
FOVEA_API int fovea_classifier_takes_labels(const fovea_classifier *classifier);
typedef struct fovea_classify_options {
  size_t struct_size;
  const fovea_cancel *cancel; /* may be NULL */
} fovea_classify_options;
FOVEA_API void fovea_classify_options_init(fovea_classify_options *options, size_t struct_size);

/* The labels to choose from, each put into `around` in place of its "{}" (NULL: the model's own, usually
 * "a photo of {}"), in place of those given before, which stay after an error. What is longer than the
 * model takes loses its end. `options` may be NULL. Errors: FOVEA_INVALID_ARGUMENT (the model has labels of
 * its own, none are given, an empty one, no {} in `around`), FOVEA_UNSUPPORTED (a classifier of texts, no
 * tokenizer), and those of fovea_classify_texts(). */
FOVEA_API fovea_status fovea_classifier_set_labels(fovea_classifier *classifier, const char *const *labels,
                                                   size_t n_labels, const char *around,
                                                   const fovea_classify_options *options);
/* Labels are valid until the next fovea_classifier_set_labels(). */
FOVEA_API size_t fovea_classifier_label_count(const fovea_classifier *classifier);
/* NULL when out of range. */
FOVEA_API const char *fovea_classifier_label(const fovea_classifier *classifier, size_t index);
/* memory->struct_size must be set, as by fovea_memory_init(). */
FOVEA_API fovea_status fovea_classifier_memory(const fovea_classifier *classifier, fovea_memory *memory);

/* Read-only: thread-safe. */
typedef struct fovea_classifications fovea_classifications;
/* texts: [n_texts], in any order of length. A text longer than the model takes loses its end
 * (fovea_classification_truncated()). `options` may be NULL. Errors: FOVEA_UNSUPPORTED (not a classifier of
 * texts, no tokenizer), FOVEA_INVALID_ARGUMENT, FOVEA_CANCELLED, FOVEA_OUT_OF_MEMORY, FOVEA_DEVICE_LOST,
 * FOVEA_TIMEOUT. */
FOVEA_API fovea_status fovea_classify_texts(fovea_classifier *classifier, const char *const *texts,
                                            size_t n_texts, const fovea_classify_options *options,
                                            fovea_classifications **out);
/* pictures: [n_pictures], of any sizes; those that become the same size run side by side. `options` may be
 * NULL. Errors: FOVEA_UNSUPPORTED (not a classifier of pictures), FOVEA_INVALID_ARGUMENT (pixels that are
 * none; no labels given yet), and as fovea_classify_texts(). */
FOVEA_API fovea_status fovea_classify_images(fovea_classifier *classifier, const fovea_pixels *pictures,
                                             size_t n_pictures, const fovea_classify_options *options,
                                             fovea_classifications **out);
FOVEA_API size_t fovea_classifications_count(const fovea_classifications *classifications);
/* [fovea_classifier_label_count()] scores of one input, in the order of the inputs: probabilities that sum to
 * 1, or of each label by itself where several may fit; a regression's numbers as they are. NULL when out of
 * range. */
FOVEA_API const float *fovea_classification_scores(const fovea_classifications *classifications,
                                                   size_t index);
/* 1: the text was too long, and its end was left out. */
FOVEA_API int fovea_classification_truncated(const fovea_classifications *classifications, size_t index);
FOVEA_API void fovea_classifications_release(fovea_classifications *classifications);

#ifdef __cplusplus
}
#endif
#endif
