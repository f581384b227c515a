/* Fovea: flat files: what is in them, and what their graphs become. */
#ifndef FOVEA_MODEL_H
#define FOVEA_MODEL_H

#include <fovea/device.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct fovea_model_options {
  size_t struct_size;
  /* 1 (default): the whole file is compared with its checksum before its weights are first used, at the speed
   * of the disk or, once read, of memory (docs/format.md); damage is then FOVEA_INVALID_FILE and not wrong
   * output. 0: the file is trusted; what damage does not break gives wrong output. */
  int verify;
} fovea_model_options;
FOVEA_API void fovea_model_options_init(fovea_model_options *options, size_t struct_size);

/* A flat file, mapped and checked. Immutable and thread-safe. The file must not be changed in place while
 * open. */
typedef struct fovea_model fovea_model;
/* `options` may be NULL. Errors: FOVEA_NOT_FOUND, FOVEA_IO, FOVEA_INVALID_FILE, FOVEA_INVALID_GRAPH,
 * FOVEA_UNSUPPORTED. Weights are not read yet, so that a look at a large file is quick: they are read and
 * verified when the first session or transcriber is made, or by fovea_model_verify(). */
FOVEA_API fovea_status fovea_model_open(const char *path, const fovea_model_options *options,
                                        fovea_model **out);
FOVEA_API void fovea_model_release(fovea_model *model);
/* Compares the whole file with its checksum, at the speed of the disk. Error FOVEA_INVALID_FILE. */
FOVEA_API fovea_status fovea_model_verify(const fovea_model *model);
FOVEA_API const char *fovea_model_path(const fovea_model *model);
FOVEA_API uint64_t fovea_model_file_bytes(const fovea_model *model);
/* What the model is for ("transcribe"); "" when it does not say. */
FOVEA_API const char *fovea_model_task(const fovea_model *model);

typedef struct fovea_metadata {
  size_t struct_size;
  const char *key;
  const char *type;    /* "u32", "string", "array" … */
  uint64_t count;      /* elements of an array; else 1 */
  const char *preview; /* for people, shortened: 42, "text…", [50257 strings] */
} fovea_metadata;

FOVEA_API size_t fovea_model_metadata_count(const fovea_model *model);
/* In file order. NULL when out of range. */
FOVEA_API const fovea_metadata *fovea_model_metadata(const fovea_model *model, size_t index);
/* The whole value of `key` as text: a string as it is, numbers in digits that read back as the same number,
 * true or false; of an array the element `element` (else 0). Errors: FOVEA_NOT_FOUND, FOVEA_INVALID_ARGUMENT
 * (no such element). */
FOVEA_API fovea_status fovea_model_metadata_text(const fovea_model *model, const char *key, uint64_t element,
                                                 char **out);

/* Shapes are outermost dimension first, dense and row-major, of rank 0 … 4. */
typedef struct fovea_tensor_info {
  size_t struct_size;
  const char *name;
  const char *encoding; /* "f32", "f16", "i32", "q8", "q4" */
  uint32_t rank;
  uint64_t shape[4];
  uint64_t bytes; /* in the file, with scales, without padding */
} fovea_tensor_info;

FOVEA_API size_t fovea_model_tensor_count(const fovea_model *model);
/* In file order. NULL when out of range. */
FOVEA_API const fovea_tensor_info *fovea_model_tensor(const fovea_model *model, size_t index);

FOVEA_API size_t fovea_model_graph_count(const fovea_model *model);
/* In file order. NULL when out of range. */
FOVEA_API const char *fovea_model_graph_name(const fovea_model *model, size_t index);
/* The graph as text (docs/graph.md). NULL when there is none of that name. */
FOVEA_API const char *fovea_model_graph_text(const fovea_model *model, const char *name);

/* A named size: the T of an input [T, 384], or a step such as pos. */
typedef struct fovea_size {
  const char *name;
  uint64_t value;
} fovea_size;

/* What a graph becomes on a device at given sizes: one line per dispatch (kernel, groups, bindings, barrier),
 * then memory. Sizes not given are 1. `device` NULL plans for the least device that Fovea supports, without a
 * GPU. Errors: FOVEA_NOT_FOUND, FOVEA_INVALID_GRAPH (the sizes do not fit), FOVEA_UNSUPPORTED. */
FOVEA_API fovea_status fovea_model_plan(const fovea_model *model, const fovea_device *device,
                                        const char *graph, const fovea_size *sizes, size_t n_sizes,
                                        char **out);

#ifdef __cplusplus
}
#endif
#endif
