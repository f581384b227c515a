/* Fovea: makes flat files from trained models (library fovea_convert; needs no GPU). Conventions as in
 * fovea.h. */
#ifndef FOVEA_CONVERT_H
#define FOVEA_CONVERT_H

#include <fovea/fovea.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct fovea_convert_options {
  size_t struct_size;
  const char *encoding;       /* of matrices: "f32", "f16" (default), "q8" or "q4" */
  uint32_t n_threads;         /* 0 (default): one for each core */
  fovea_progress_fn progress; /* in bytes of the output; may be NULL */
  void *user;                 /* for progress */
  const fovea_cancel *cancel; /* may be NULL */
  int pure;                   /* 1: q4 also for what is kept at q8 by default because four bits there change
                               * words: the vocabulary, values, the second matrix of each MLP, and all of
                               * a model narrower than 768 */
} fovea_convert_options;
FOVEA_API void fovea_convert_options_init(fovea_convert_options *options, size_t struct_size);

/* What a conversion did. Read-only: thread-safe. */
typedef struct fovea_convert_report fovea_convert_report;

/* Converts the model at `source` (a Hugging Face folder, a GGUF file, a ggml .bin file …) into the flat file
 * `output`, which appears whole or not at all; an existing file is replaced only on success. Memory stays
 * near one tensor. `out` may be NULL. Errors name the file or the tensor: FOVEA_NOT_FOUND, FOVEA_INVALID_FILE
 * (damaged; tensors missing, unknown or misshaped), FOVEA_UNSUPPORTED (no known architecture), FOVEA_IO (disk
 * full), FOVEA_CANCELLED. Thread-safe; one conversion uses all cores. */
FOVEA_API fovea_status fovea_convert(const char *source, const char *output,
                                     const fovea_convert_options *options, fovea_convert_report **out);
FOVEA_API void fovea_convert_report_release(fovea_convert_report *report);

FOVEA_API const char *fovea_convert_report_architecture(const fovea_convert_report *report);
FOVEA_API uint64_t fovea_convert_report_source_bytes(const fovea_convert_report *report);
FOVEA_API uint64_t fovea_convert_report_output_bytes(const fovea_convert_report *report);
FOVEA_API double fovea_convert_report_seconds(const fovea_convert_report *report);
/* What its owner should know of the conversion: files that the source lacked, what was assumed in their place
 * and what will not work without them; a line each. The report's text leaves them out. */
FOVEA_API size_t fovea_convert_report_warning_count(const fovea_convert_report *report);
/* NULL when out of range. */
FOVEA_API const char *fovea_convert_report_warning(const fovea_convert_report *report, size_t index);
/* The report for people: totals by encoding and the worst tensor of each; `every_tensor` adds a line for
 * each. */
FOVEA_API fovea_status fovea_convert_report_text(const fovea_convert_report *report, int every_tensor,
                                                 char **out);

typedef struct fovea_convert_tensor {
  size_t struct_size;
  const char *name;
  const char *encoding;
  uint32_t rank;
  uint64_t shape[4];
  uint64_t bytes;
  double max_error;          /* largest |stored - source| */
  double relative_rms_error; /* root of (sum of squared errors / sum of squares) */
  const char *note;          /* why the encoding is not the one asked for; "" when it is */
} fovea_convert_tensor;

FOVEA_API size_t fovea_convert_report_tensor_count(const fovea_convert_report *report);
/* In file order. NULL when out of range. */
FOVEA_API const fovea_convert_tensor *fovea_convert_report_tensor(const fovea_convert_report *report,
                                                                  size_t index);

#ifdef __cplusplus
}
#endif
#endif
