/* Fovea: what each pixel of a picture belongs to (library fovea). Conventions as in fovea.h. */
#ifndef FOVEA_SEGMENT_H
#define FOVEA_SEGMENT_H

#include <fovea/pixels.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct fovea_segmenter_options {
  size_t struct_size;
  fovea_progress_fn progress; /* of loading weights, in bytes; may be NULL */
  void *user;                 /* for progress */
} fovea_segmenter_options;
FOVEA_API void fovea_segmenter_options_init(fovea_segmenter_options *options, size_t struct_size);

/* A segmentation model on a device. One thread at a time. */
typedef struct fovea_segmenter fovea_segmenter;
/* `options` may be NULL. Errors: FOVEA_UNSUPPORTED (not a segmentation model) and those of
 * fovea_session_create(). */
FOVEA_API fovea_status fovea_segmenter_create(fovea_device *device, const fovea_model *model,
                                              const fovea_segmenter_options *options, fovea_segmenter **out);
FOVEA_API void fovea_segmenter_release(fovea_segmenter *segmenter);
/* Names of the classes that the model knows. NULL when `label` is out of range. Live as long as the
 * segmenter. */
FOVEA_API size_t fovea_segmenter_label_count(const fovea_segmenter *segmenter);
FOVEA_API const char *fovea_segmenter_label(const fovea_segmenter *segmenter, uint32_t label);
/* memory->struct_size must be set, as by fovea_memory_init(). */
FOVEA_API fovea_status fovea_segmenter_memory(const fovea_segmenter *segmenter, fovea_memory *memory);

typedef struct fovea_segment_options {
  size_t struct_size;
  const fovea_cancel *cancel; /* may be NULL */
} fovea_segment_options;
FOVEA_API void fovea_segment_options_init(fovea_segment_options *options, size_t struct_size);

/* Read-only: thread-safe. */
typedef struct fovea_class_map fovea_class_map;
/* `options` may be NULL. Errors: FOVEA_INVALID_ARGUMENT (pixels that are none), FOVEA_UNSUPPORTED,
 * FOVEA_OUT_OF_MEMORY (with sizes), FOVEA_DEVICE_LOST, FOVEA_TIMEOUT, FOVEA_CANCELLED. */
FOVEA_API fovea_status fovea_segment_picture(fovea_segmenter *segmenter, const fovea_pixels *picture,
                                             const fovea_segment_options *options, fovea_class_map **out);
/* The picture's size. */
FOVEA_API uint32_t fovea_class_map_width(const fovea_class_map *map);
FOVEA_API uint32_t fovea_class_map_height(const fovea_class_map *map);
/* [height, width] class numbers, for fovea_segmenter_label(); live as long as `map`. */
FOVEA_API const uint16_t *fovea_class_map_data(const fovea_class_map *map);
FOVEA_API void fovea_class_map_release(fovea_class_map *map);

#ifdef __cplusplus
}
#endif
#endif
