/* Fovea: graphs, run on tensors. */
#ifndef FOVEA_SESSION_H
#define FOVEA_SESSION_H

#include <fovea/model.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct fovea_memory {
  size_t struct_size;
  uint64_t weights_bytes; /* device memory; 0 when the file's pages are used as they are */
  uint64_t state_bytes;   /* device memory that lasts from run to run */
  uint64_t scratch_bytes; /* device memory reused within a run */
  uint64_t io_bytes;      /* host-visible memory of inputs and outputs */
} fovea_memory;
FOVEA_API void fovea_memory_init(fovea_memory *memory, size_t struct_size);

typedef enum fovea_element {
  FOVEA_F32 = 0,
  FOVEA_I32 = 1,
  FOVEA_I64 = 2,
  FOVEA_ELEMENT_32_BITS = 0x7fffffff
} fovea_element;

/* A tensor in host memory. Never grows: arrays of it are passed. */
typedef struct fovea_tensor {
  const char *name;
  fovea_element element; /* of results f32 or i32; inputs of i64 are narrowed, f16 ones of a graph rounded */
  uint32_t rank;
  uint64_t shape[4];
  const void *data; /* the product of shape, elements each */
} fovea_tensor;

typedef struct fovea_session_options {
  size_t struct_size;
  int profile;                /* 1: time every dispatch, for fovea_session_profile() */
  fovea_progress_fn progress; /* of loading weights, in bytes; may be NULL */
  void *user;                 /* for progress */
} fovea_session_options;
FOVEA_API void fovea_session_options_init(fovea_session_options *options, size_t struct_size);

/* A model on a device, with the states its graphs keep. One thread at a time. Sessions and transcribers of
 * one model on one device share its weights. */
typedef struct fovea_session fovea_session;
/* `options` may be NULL. Errors: FOVEA_INVALID_FILE (damaged: the file does not match its checksum),
 * FOVEA_OUT_OF_MEMORY (with sizes), FOVEA_DEVICE_LOST, FOVEA_CANCELLED, FOVEA_INVALID_GRAPH. */
FOVEA_API fovea_status fovea_session_create(fovea_device *device, const fovea_model *model,
                                            const fovea_session_options *options, fovea_session **out);
FOVEA_API void fovea_session_release(fovea_session *session);

typedef struct fovea_run_options {
  size_t struct_size;
  const char *graph;       /* NULL: the graphs of the model's metadata `fovea.run.graphs`, in order */
  const fovea_size *steps; /* values of steps (e.g. pos); 0 when not given */
  size_t n_steps;
  int keep_state;             /* 1: the states go on from the last run; 0 (default): they are zero */
  const fovea_cancel *cancel; /* may be NULL */
  uint32_t timeout_ms;        /* of each GPU submit; 0: from the estimated work */
  /* Outputs that the model only computes on request (attention weights: "attention.3"), beside all others;
   * `*` stands for any characters. */
  const char *const *offers;
  size_t n_offers;
} fovea_run_options;
FOVEA_API void fovea_run_options_init(fovea_run_options *options, size_t struct_size);

/* Named tensors that a run gave. Read-only: thread-safe. */
typedef struct fovea_results fovea_results;
/* Runs graphs on `inputs`, matched by name; a leading dimension of 1 may be left out or added. Of several
 * graphs, the outputs of one are inputs of the next, and a graph whose outputs are all given is skipped.
 * `out` gets every output that the graphs declare. Values may be NaN or infinite: they go in as they are.
 * Sequences side by side (B) are as many as the inputs say; states are kept between runs of the same number.
 * Errors: FOVEA_INVALID_ARGUMENT (an input that is missing, unknown or of the wrong shape, named; an offer
 * that matches nothing; a value of a step that does not fit the states), FOVEA_NOT_FOUND (graph),
 * FOVEA_UNSUPPORTED, FOVEA_OUT_OF_MEMORY, FOVEA_DEVICE_LOST, FOVEA_TIMEOUT, FOVEA_CANCELLED. */
FOVEA_API fovea_status fovea_session_run(fovea_session *session, const fovea_run_options *options,
                                         const fovea_tensor *inputs, size_t n_inputs, fovea_results **out);
FOVEA_API size_t fovea_results_count(const fovea_results *results);
/* By name. NULL when out of range. Lives as long as the results. */
FOVEA_API const fovea_tensor *fovea_results_get(const fovea_results *results, size_t index);
FOVEA_API void fovea_results_release(fovea_results *results);

/* memory->struct_size must be set, as by fovea_memory_init(). */
FOVEA_API fovea_status fovea_session_memory(const fovea_session *session, fovea_memory *memory);
/* Times of the last run's dispatches, as JSON (docs/api.md): [{"graph", "statement", "kernel", "time_us",
 * "flops", "bytes"} …]. Error FOVEA_UNSUPPORTED when the session was not made with profile, or the device has
 * no timestamps. */
FOVEA_API fovea_status fovea_session_profile(const fovea_session *session, char **out);

#ifdef __cplusplus
}
#endif
#endif
