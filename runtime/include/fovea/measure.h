/* Fovea: how fast a model is on a device, and which kernels are the fastest for it there. */
#ifndef FOVEA_MEASURE_H
#define FOVEA_MEASURE_H

#include <fovea/fovea.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct fovea_bench_options {
  size_t struct_size;
  uint32_t runs;                                   /* of each stage, after one to warm up; default 5 */
  void (*on_stage)(void *user, const char *stage); /* before each stage; may be NULL */
  void *user;                                      /* for on_stage */
  const fovea_cancel *cancel;                      /* may be NULL */
  int verify;                                      /* as in fovea_model_options; default 1 */
  int kernels;  /* 1: every kernel of the stages by itself too, against the device's bounds; default 0 */
  int variants; /* 1, with kernels: the other kernels that could do the same, too; default 0 */
  /* Sizes to time; NULL: what is usual for the task. */
  const uint32_t *prompts; /* tokens of prompts, sources and texts; at most what the model takes */
  size_t n_prompts;
  const uint32_t *caches; /* tokens before the one decoded; those past the context are left out */
  size_t n_caches;
  const double *seconds; /* of recordings, for models of speech; by default none beside the windows */
  size_t n_seconds;
} fovea_bench_options;
FOVEA_API void fovea_bench_options_init(fovea_bench_options *options, size_t struct_size);

/* Loads the model, checks its outputs, then times the stages of its tasks. `out` gets JSON (docs/api.md has
 * its keys). Errors: FOVEA_INTERNAL when an output is wrong (the message says which), FOVEA_UNSUPPORTED for a
 * model without a task, and those of fovea_model_open() and fovea_session_create(). */
FOVEA_API fovea_status fovea_bench(fovea_device *device, const char *model_path,
                                   const fovea_bench_options *options, char **out);

typedef struct fovea_tune_options {
  size_t struct_size;
  /* Before each choice among kernels that is measured: what it is, and how far its graph is. May be NULL. */
  void (*on_choice)(void *user, const char *what, double done, double total);
  void *user;                 /* for on_choice */
  const fovea_cancel *cancel; /* may be NULL */
  int verify;                 /* as in fovea_model_options; default 1 */
  int check; /* 1: store nothing, and measure against what the device as opened uses; default 0 */
} fovea_tune_options;
FOVEA_API void fovea_tune_options_init(fovea_tune_options *options, size_t struct_size);

/* Measures on the device, for every choice among kernels that the model's stages make (model_path NULL: a
 * standard set of shapes), what could have been chosen, and stores in the device's cache folder what is
 * faster than the default by more than the noise; what was stored for other shapes stays. Kernels whose
 * results differ are never chosen. Devices opened afterwards use it. `out` gets JSON (docs/api.md has its
 * keys). Errors: FOVEA_INVALID_ARGUMENT when there is no cache folder, FOVEA_IO, and those of fovea_bench().
 */
FOVEA_API fovea_status fovea_tune(fovea_device *device, const char *model_path,
                                  const fovea_tune_options *options, char **out);
/* Removes what fovea_tune() has stored for this device; no error when there is nothing. Error: FOVEA_IO. */
FOVEA_API fovea_status fovea_tune_clear(fovea_device *device);

#ifdef __cplusplus
}
#endif
#endif
