/* Fovea: objects in pictures (library fovea). Conventions as in fovea.h. */
#ifndef FOVEA_DETECT_H
#define FOVEA_DETECT_H

#include <fovea/pixels.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct fovea_detector_options {
  size_t struct_size;
  fovea_progress_fn progress; /* of loading weights, in bytes; may be NULL */
  void *user;                 /* for progress */
} fovea_detector_options;
FOVEA_API void fovea_detector_options_init(fovea_detector_options *options, size_t struct_size);

/* A detection model on a device. One thread at a time. */
typedef struct fovea_detector fovea_detector;
/* `options` may be NULL. Errors: FOVEA_UNSUPPORTED (not a detection model) and those of
 * fovea_session_create(). */
FOVEA_API fovea_status fovea_detector_create(fovea_device *device, const fovea_model *model,
                                             const fovea_detector_options *options, fovea_detector **out);
FOVEA_API void fovea_detector_release(fovea_detector *detector);
/* Names of the classes that the model knows. NULL when `label` is out of range. Live as long as the detector.
 */
FOVEA_API size_t fovea_detector_label_count(const fovea_detector *detector);
FOVEA_API const char *fovea_detector_label(const fovea_detector *detector, uint32_t label);
/* memory->struct_size must be set, as by fovea_memory_init(). */
FOVEA_API fovea_status fovea_detector_memory(const fovea_detector *detector, fovea_memory *memory);

typedef struct fovea_detect_options {
  size_t struct_size;
  float threshold;            /* least probability, 0 … 1; default 0.5 */
  const fovea_cancel *cancel; /* may be NULL */
} fovea_detect_options;
FOVEA_API void fovea_detect_options_init(fovea_detect_options *options, size_t struct_size);

/* An object: of its class with probability `score`, in a box of the picture's pixels. A box may reach a
 * little outside the picture. Never grows: arrays of it are given. */
typedef struct fovea_detection {
  uint32_t label; /* class number, for fovea_detector_label() */
  float score;
  float left, top, right, bottom;
} fovea_detection;

/* Read-only: thread-safe. */
typedef struct fovea_detections fovea_detections;
/* `options` may be NULL. Errors: FOVEA_INVALID_ARGUMENT (pixels that are none, the threshold),
 * FOVEA_UNSUPPORTED, FOVEA_OUT_OF_MEMORY (with sizes), FOVEA_DEVICE_LOST, FOVEA_TIMEOUT, FOVEA_CANCELLED. */
FOVEA_API fovea_status fovea_detect(fovea_detector *detector, const fovea_pixels *picture,
                                    const fovea_detect_options *options, fovea_detections **out);
FOVEA_API size_t fovea_detections_count(const fovea_detections *detections);
/* [count], the most probable first; lives as long as `detections`. */
FOVEA_API const fovea_detection *fovea_detections_data(const fovea_detections *detections);
FOVEA_API void fovea_detections_release(fovea_detections *detections);

#ifdef __cplusplus
}
#endif
#endif
