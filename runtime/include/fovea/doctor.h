/* Fovea: whether a device computes what it should. */
#ifndef FOVEA_DOCTOR_H
#define FOVEA_DOCTOR_H

#include <fovea/fovea.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct fovea_doctor_options {
  size_t struct_size;
  /* Before each kernel: which, and how many are done. May be NULL. */
  void (*on_kernel)(void *user, const char *kernel, double done, double total);
  void *user;                 /* for on_kernel */
  const fovea_cancel *cancel; /* may be NULL */
  int verify;                 /* as in fovea_model_options; default 1 */
  int quick; /* 1: at small sizes and without times, as before a first use; default 0: at the model's own */
} fovea_doctor_options;
FOVEA_API void fovea_doctor_options_init(fovea_doctor_options *options, size_t struct_size);

/* Runs every kernel that the device would take for the model's stages (model_path NULL: for a standard set of
 * ops at the sizes of real models), and every other that could do the same, in the way that the device was
 * opened with (fovea_check; here where that is skip), and compares each with the scalar reference. Verdicts
 * are stored in the device's cache folder; sessions made afterwards obey them. A wrong kernel is no error of
 * this call: `out` gets JSON that says so (docs/api.md has its keys). Errors: those of fovea_bench(). */
FOVEA_API fovea_status fovea_doctor(fovea_device *device, const char *model_path,
                                    const fovea_doctor_options *options, char **out);
/* What a fovea_device_options.check_program does: reads from one file descriptor what to try, writes to another
 * what came of it. The status for the program to end with. */
FOVEA_API int fovea_check_serve(int in, int out);
/* Forgets the verdicts on this device; no error when there are none. Error: FOVEA_IO. */
FOVEA_API fovea_status fovea_doctor_clear(fovea_device *device);

typedef struct fovea_verify_options {
  size_t struct_size;
  /* Before each statement: which, and how many of its graph are done. May be NULL. */
  void (*on_statement)(void *user, const char *statement, double done, double total);
  void *user;                 /* for on_statement */
  const fovea_cancel *cancel; /* may be NULL */
  fovea_device *against;      /* compare with what this device computes; NULL: with the scalar reference */
  const char *folder;         /* where the statement at fault is kept; NULL: the current one */
  const char *graph;          /* NULL: the graphs of the model's metadata `fovea.run.graphs`, in order */
  const fovea_size *steps;    /* values of steps (e.g. pos); 0 when not given */
  size_t n_steps;
  size_t n_statements; /* compared of each graph, from its first on; 0: all */
} fovea_verify_options;
FOVEA_API void fovea_verify_options_init(fovea_verify_options *options, size_t struct_size);

/* Runs a model's graphs on the device statement by statement, each with what the scalar reference computed
 * before it, by the kernels that the model's own plan has for it, and compares what comes out. `inputs` as for
 * fovea_session_run(); those that are missing are drawn, always the same. Stops at the first statement whose
 * result leaves the tolerance, and writes a file into the folder that holds it with all that it takes: a model
 * like others, which this function runs again. A wrong statement is no error of this call: `out` gets JSON that
 * says so (docs/api.md has its keys). Errors: those of fovea_session_run(), FOVEA_INVALID_FILE, FOVEA_IO. */
FOVEA_API fovea_status fovea_verify(fovea_device *device, const fovea_model *model,
                                    const fovea_verify_options *options, const fovea_tensor *inputs,
                                    size_t n_inputs, char **out);

#ifdef __cplusplus
}
#endif
#endif
