/* Fovea: versions, errors, diagnostics, progress and cancellation; what every other header begins with. */
#ifndef FOVEA_STATUS_H
#define FOVEA_STATUS_H

#include <stddef.h>
#include <stdint.h>

#if defined(__GNUC__)
#define FOVEA_API __attribute__((visibility("default")))
#else
#define FOVEA_API
#endif

#ifdef __cplusplus
extern "C" {
#endif

#define FOVEA_VERSION_MAJOR 0
#define FOVEA_VERSION_MINOR 1
#define FOVEA_VERSION_PATCH 0

/* The version of the library in use: "0.1.0". */
FOVEA_API const char *fovea_version(void);

/* ---- Errors ---- */

typedef enum fovea_status {
  FOVEA_OK = 0,
  FOVEA_INVALID_ARGUMENT = 1, /* an argument is wrong */
  FOVEA_INVALID_FILE = 2,     /* a file's contents are malformed, truncated or inconsistent */
  FOVEA_INVALID_GRAPH = 3,    /* a graph's text, shapes or references are inconsistent */
  FOVEA_NOT_FOUND = 4,        /* a named file, tensor, graph or key does not exist */
  FOVEA_IO = 5,               /* the operating system refused a read, write or rename */
  FOVEA_UNSUPPORTED = 6,      /* well formed, but this build or this device cannot do it */
  FOVEA_OUT_OF_MEMORY = 7,    /* host or device memory */
  FOVEA_NO_DEVICE = 8,        /* no Vulkan loader, or no usable device */
  FOVEA_DEVICE_LOST = 9,      /* the device takes no further work: release what uses it and open it again */
  FOVEA_TIMEOUT = 10,         /* the device did not answer before the deadline */
  FOVEA_CANCELLED = 11,       /* a callback or a fovea_cancel asked to stop */
  FOVEA_INTERNAL = 12,        /* a bug in Fovea */
  /* the device gave what cannot be right: fovea_doctor() and fovea_verify() show where; a device opened with
   * safe = 1 may do better */
  FOVEA_WRONG_RESULT = 13,
  FOVEA_STATUS_32_BITS = 0x7fffffff
} fovea_status;

/* "ok", "invalid file" …; "unknown status" for any other number. Static. */
FOVEA_API const char *fovea_status_name(fovea_status status);

/* The message of the last call on this thread that failed; "" before the first. Valid until this thread's
 * next call. */
FOVEA_API const char *fovea_last_error(void);

/* Sets what fovea_last_error() returns on this thread: for libraries that extend Fovea. */
FOVEA_API void fovea_set_last_error(const char *message);

/* Frees what an out pointer of type char ** gave. NULL is fine. */
FOVEA_API void fovea_free(char *text);

/* ---- Diagnostics ---- */

typedef enum fovea_log_level {
  FOVEA_LOG_ERROR = 0,
  FOVEA_LOG_WARNING = 1,
  FOVEA_LOG_INFO = 2,
  FOVEA_LOG_DEBUG = 3,
  FOVEA_LOG_LEVEL_32_BITS = 0x7fffffff
} fovea_log_level;

/* `message` is one line, without a newline, valid during the call. Called from any thread that uses Fovea. */
typedef void (*fovea_log_fn)(void *user, fovea_log_level level, const char *message);

/* Sends diagnostics to `log` (NULL: back to stderr). Call it before other threads use Fovea. */
FOVEA_API void fovea_set_log(fovea_log_fn log, void *user);
/* Drops messages above `level`. Default: warnings, or what FOVEA_LOG says. */
FOVEA_API void fovea_set_log_level(fovea_log_level level);

/* ---- Progress and cancellation ---- */

/* Called now and then with how much is done, in the unit that the function says. Return 0 to go on; anything
 * else stops the call with FOVEA_CANCELLED. */
typedef int (*fovea_progress_fn)(void *user, double done, double total);

/* A request to stop, made by another thread or a signal handler. One may be given to many calls. */
typedef struct fovea_cancel fovea_cancel;
FOVEA_API fovea_status fovea_cancel_create(fovea_cancel **out);
/* Calls that were given `cancel` return FOVEA_CANCELLED soon (between GPU submits, about 0.1 s), and at once
 * when they begin later. Any thread; safe in a signal handler. */
FOVEA_API void fovea_cancel_request(fovea_cancel *cancel);
/* Takes the request back. */
FOVEA_API void fovea_cancel_reset(fovea_cancel *cancel);
/* 1 after fovea_cancel_request(). */
FOVEA_API int fovea_cancel_requested(const fovea_cancel *cancel);
/* Not while a call that was given it runs. */
FOVEA_API void fovea_cancel_release(fovea_cancel *cancel);

#ifdef __cplusplus
}
#endif
#endif
