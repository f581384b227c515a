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

#ifdef __cplusplus
}
#endif
#endif
