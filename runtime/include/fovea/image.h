/* Fovea: image files as the pixels that models take (library fovea_image, which uses stb_image).
 *
 * JPEG, PNG, GIF (the first frame), BMP and binary PPM/PGM, as 8-bit RGB: grey becomes three equal channels,
 * alpha is dropped, CMYK becomes RGB, EXIF orientation is ignored. Conventions as in fovea.h. A fovea_image
 * is read-only. */
#ifndef FOVEA_IMAGE_H
#define FOVEA_IMAGE_H

#include <fovea/pixels.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct fovea_image fovea_image;

/* Reads `path`, or standard input for "-". More than `max_pixels` is an error (0: 100 million), found out
 * before they take memory. Errors name the file: FOVEA_NOT_FOUND, FOVEA_IO, FOVEA_INVALID_FILE (empty, no
 * image, broken data, too large), FOVEA_UNSUPPORTED. */
FOVEA_API fovea_status fovea_image_read(const char *path, uint64_t max_pixels, fovea_image **out);
/* The same from an encoded file in memory; `name` is what errors call it. */
FOVEA_API fovea_status fovea_image_read_memory(const void *bytes, size_t n_bytes, const char *name,
                                               uint64_t max_pixels, fovea_image **out);
/* RGB; lives as long as the image. */
FOVEA_API const fovea_pixels *fovea_image_pixels(const fovea_image *image);
FOVEA_API void fovea_image_release(fovea_image *image);

/* Writes a PNG of as many channels; `path` appears whole or not at all; a pipe or a device is written to as
 * it is. Errors: FOVEA_IO, FOVEA_INVALID_ARGUMENT. */
FOVEA_API fovea_status fovea_image_write_png(const char *path, const fovea_pixels *pixels);

#ifdef __cplusplus
}
#endif
#endif
