/* Fovea: runs trained models on any Vulkan GPU. The stable C interface (C99; C++ users may prefer fovea.hpp).
 *
 * Conventions
 * - Errors. Whatever can fail returns a fovea_status; fovea_last_error() then has one line that names the
 * file, tensor or argument at fault. After an error every `out` pointer is NULL. Nothing aborts, nothing
 * throws through this interface. Any call may also return FOVEA_OUT_OF_MEMORY, and FOVEA_INVALID_ARGUMENT for
 * a NULL where none may be.
 * - Handles (fovea_device, fovea_model …) are opaque. Give each back with its _release function, in any
 * order: a session keeps what it needs of its device and model. Releasing NULL does nothing.
 * - Strings are UTF-8 and end in NUL. A `const char *` belongs to the handle it came from and lives as long;
 * a `char *` given through an out pointer is yours, for fovea_free().
 * - Structs that you fill begin with struct_size and are initialised by their _init function, which takes
 *   sizeof(the struct): fields added later keep their defaults in programs built today. A program built with
 * a newer header gets FOVEA_UNSUPPORTED when it sets a field that this library does not have. Structs that
 * Fovea fills are read through const pointers; their struct_size says how much of them this library knows.
 * - Enumerations are 32 bits wide, which their last names (…_32_BITS) see to; a value that is none of the
 * others is an error, or stands for something that a later version knows.
 * - Threads. Devices, models and everything read-only may be used from any number of threads at once; a
 * session or a transcriber from one thread at a time (two sessions on one device run side by side).
 * fovea_last_error() is per thread.
 * - Callbacks run on the thread that made the call, before it returns. They must not throw or longjmp through
 * Fovea, and must not use the handle that is running.
 * - Nothing happens when the library is loaded: Vulkan is opened by the first call that needs a device.
 *
 * Environment: FOVEA_DEVICE (index or part of a name), FOVEA_DEVICE_MEMORY (a limit: 512M, 2G),
 * FOVEA_VALIDATION (1 or gpu), FOVEA_LOG (error, warning, info, debug), FOVEA_CACHE_DIR (compiled pipelines,
 * tables of fovea_tune(), verdicts on kernels), FOVEA_TUNING (0 or off: without those tables), FOVEA_CHECK
 * (child, here or skip: how kernels are tried before their first use), FOVEA_VULKAN_LIBRARY (the loader to
 * open).
 */
#ifndef FOVEA_FOVEA_H
#define FOVEA_FOVEA_H

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

/* ---- Devices ---- */

typedef enum fovea_device_type {
  FOVEA_DEVICE_DISCRETE = 0,
  FOVEA_DEVICE_INTEGRATED = 1,
  FOVEA_DEVICE_VIRTUAL = 2,
  FOVEA_DEVICE_SOFTWARE = 3,
  FOVEA_DEVICE_OTHER = 4,
  FOVEA_DEVICE_TYPE_32_BITS = 0x7fffffff
} fovea_device_type;

typedef struct fovea_device_info {
  size_t struct_size;
  uint32_t index;          /* what a selector may say */
  const char *name;        /* "llvmpipe (LLVM 15.0.6, 256 bits)" */
  const char *driver_name; /* "llvmpipe" */
  const char *driver_info; /* "Mesa 22.3.6 (LLVM 15.0.6)" */
  fovea_device_type type;
  const char *type_name; /* "discrete", "integrated", "virtual", "software", "other" */
  uint32_t vendor_id, device_id;
  uint32_t driver_version; /* in the driver's own encoding */
  uint32_t vulkan_major, vulkan_minor, vulkan_patch;
  int usable;           /* 1: Fovea runs on it */
  const char *rejected; /* why not, in one line; "" when usable */
  /* Limits. */
  uint64_t memory_bytes;             /* the largest device-local heap; 0: unknown */
  uint64_t max_allocation_bytes;     /* of one allocation */
  uint64_t max_storage_buffer_bytes; /* of one binding */
  uint32_t max_storage_buffers;      /* bound at once */
  uint32_t max_workgroup_invocations;
  uint32_t max_shared_memory_bytes;
  uint32_t max_push_constant_bytes;
  uint32_t subgroup_size; /* 0: no subgroup operations */
  int has_timestamps;     /* profiles are possible */
  /* Features, 0 or 1. */
  int f16_arithmetic, int8_arithmetic, integer_dot_product;
  int unified_memory, host_pointer_import; /* weights need no copy */
  const char *profile; /* the device that it pretends to be, whose limits and features these are; "" when none */
  const char *quirks;  /* what is off because it is known to be bad here, with the reason, one a line; "" */
} fovea_device_info;

/* Every Vulkan device there is, usable or not, in the loader's order, as fovea_device_open() takes it by default:
 * within FOVEA_PRETEND and FOVEA_QUIRKS. */
typedef struct fovea_device_list fovea_device_list;
/* Errors: FOVEA_NO_DEVICE when there is no Vulkan loader (the message says what to install). A loader without
 * a driver gives an empty list. What FOVEA_PRETEND and FOVEA_QUIRKS say wrongly is FOVEA_INVALID_ARGUMENT. */
FOVEA_API fovea_status fovea_list_devices(fovea_device_list **out);
FOVEA_API size_t fovea_device_list_count(const fovea_device_list *list);
/* NULL when `index` is out of range. Lives as long as the list. */
FOVEA_API const fovea_device_info *fovea_device_list_get(const fovea_device_list *list, size_t index);
FOVEA_API void fovea_device_list_release(fovea_device_list *list);

typedef enum fovea_validation {
  FOVEA_VALIDATION_ENVIRONMENT = 0, /* FOVEA_VALIDATION decides; off when unset */
  FOVEA_VALIDATION_OFF = 1,
  FOVEA_VALIDATION_ON = 2,  /* every Vulkan call, and synchronization */
  FOVEA_VALIDATION_GPU = 3, /* shaders on the device as well */
  FOVEA_VALIDATION_32_BITS = 0x7fffffff
} fovea_validation;

/* Whether the table is used that fovea_tune() has stored for the device. */
typedef enum fovea_tuning {
  FOVEA_TUNING_ENVIRONMENT = 0, /* FOVEA_TUNING decides; on when unset */
  FOVEA_TUNING_OFF = 1,
  FOVEA_TUNING_ON = 2,
  FOVEA_TUNING_32_BITS = 0x7fffffff
} fovea_tuning;

/* Whether a kernel is tried before a model first uses it: once per driver and version of the kernel, on a
 * small piece of the work at hand, compared with a scalar reference. What is wrong is routed around (a
 * warning says so), or, where nothing else does the same, FOVEA_UNSUPPORTED with the reason. What came of it
 * is stored in the cache folder; docs/reliability.md has the whole. */
typedef enum fovea_check {
  FOVEA_CHECK_ENVIRONMENT = 0, /* FOVEA_CHECK decides (child, here, skip); CHILD when unset */
  FOVEA_CHECK_SKIP = 1,
  FOVEA_CHECK_HERE = 2,  /* in this process: a driver that crashes takes it down, and is avoided afterwards */
  FOVEA_CHECK_CHILD = 3, /* in check_program, started for it; here where there is none */
  FOVEA_CHECK_32_BITS = 0x7fffffff
} fovea_check;

typedef struct fovea_device_options {
  size_t struct_size;
  const char *selector;        /* index or part of a name; NULL: FOVEA_DEVICE, else the best usable device */
  fovea_validation validation; /* default: FOVEA_VALIDATION_ENVIRONMENT */
  const char *cache_folder; /* of compiled pipelines and tuning tables; NULL: FOVEA_CACHE_DIR, else the user's
                               cache; "": none */
  /* Device memory to keep within, weights used in place not counted; more is FOVEA_OUT_OF_MEMORY, with sizes.
   * 0: FOVEA_DEVICE_MEMORY, else all there is. */
  uint64_t memory_bytes;
  fovea_tuning tuning; /* default: FOVEA_TUNING_ENVIRONMENT */
  /* Limits and features of another device to keep within, where they are less: a profile's name or file
   * (docs/command-line.md). NULL: FOVEA_PRETEND, else the device's own; "": the device's own. */
  const char *pretend;
  fovea_check check;   /* default: FOVEA_CHECK_ENVIRONMENT */
  /* A program that calls fovea_check_serve(0, 1) when its only argument is "fovea-check", as the tool does
   * (fovea/doctor.h); NULL: none. */
  const char *check_program;
  /* 1: base kernels only, without subgroup operations, texel buffers and fused norms: slower, and what a driver
   * has the least to do wrong in. 0: FOVEA_SAFE decides. */
  int safe;
} fovea_device_options;
FOVEA_API void fovea_device_options_init(fovea_device_options *options, size_t struct_size);

/* An open device. Thread-safe. */
typedef struct fovea_device fovea_device;
/* `options` may be NULL: all defaults. Errors: FOVEA_NO_DEVICE (the message says why each device was not
 * taken), FOVEA_UNSUPPORTED (validation asked for, its layer missing), FOVEA_INVALID_ARGUMENT
 * (FOVEA_DEVICE_MEMORY is no size, FOVEA_TUNING no switch; a profile or FOVEA_QUIRKS says what is none),
 * FOVEA_NOT_FOUND (no such profile or file), FOVEA_OUT_OF_MEMORY. */
FOVEA_API fovea_status fovea_device_open(const fovea_device_options *options, fovea_device **out);
/* As opened: only the features in use. Lives as long as the device. */
FOVEA_API const fovea_device_info *fovea_device_get_info(const fovea_device *device);
FOVEA_API void fovea_device_release(fovea_device *device);

/* The profiles that come with Fovea, by name, and what each is. NULL when `index` is out of range. */
FOVEA_API size_t fovea_profile_count(void);
FOVEA_API const char *fovea_profile_name(size_t index);
FOVEA_API const char *fovea_profile_title(size_t index);

/* Validation errors reported to this process so far. */
FOVEA_API uint64_t fovea_validation_error_count(void);

/* ---- Models ---- */

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

/* ---- Running graphs ---- */

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
  fovea_element
      element; /* results are f32 or i32; inputs of i64 are narrowed, f16 ones of the graph are rounded */
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
