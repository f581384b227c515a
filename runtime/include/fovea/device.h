/* Fovea: the Vulkan devices there are, and how one is opened. */
#ifndef FOVEA_DEVICE_H
#define FOVEA_DEVICE_H

#include <fovea/status.h>

#ifdef __cplusplus
extern "C" {
#endif

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
  const char *profile; /* what it pretends to be, with these limits and features; "": itself */
  const char *quirks;  /* what is off because it is known to be bad here, with the reason, one a line; "" */
} fovea_device_info;

/* Every Vulkan device there is, usable or not, in the loader's order, as fovea_device_open() takes it by
 * default: within FOVEA_PRETEND and FOVEA_QUIRKS. */
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
  fovea_check check; /* default: FOVEA_CHECK_ENVIRONMENT */
  /* A program that calls fovea_check_serve(0, 1) when its only argument is "fovea-check", as the tool does
   * (fovea/doctor.h); NULL: none. */
  const char *check_program;
  /* 1: base kernels only, without subgroup operations, texel buffers and fused norms: slower, and what a
   * driver has the least to do wrong in. 0: FOVEA_SAFE decides. */
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

#ifdef __cplusplus
}
#endif
#endif
