/* Fovea: a picture in memory, as the tasks on images take it. */
#ifndef FOVEA_PIXELS_H
#define FOVEA_PIXELS_H

#include <fovea/fovea.h>

#ifdef __cplusplus
extern "C" {
#endif

/* 8-bit pixels, rows from the top. Never grows: arrays of it are passed. */
typedef struct fovea_pixels {
  const uint8_t *data;
  uint32_t width, height; /* 1 … 65535 each, at most 100 million pixels */
  uint32_t channels;      /* 1: grey, 3: RGB, 4: RGBA, whose alpha is ignored */
  uint64_t row_bytes;     /* from a row to the next; 0: width * channels */
} fovea_pixels;

#ifdef __cplusplus
}
#endif
#endif
