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

#include <fovea/device.h>
#include <fovea/model.h>
#include <fovea/session.h>
#include <fovea/status.h>

#endif
