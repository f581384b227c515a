// What every function of the C interface is wrapped in: exceptions become a status and a message, and structs
// that callers fill are read and written by the size that they were compiled with.
//
// Thread-safety: pure but for the calling thread's message. This folder is the only one that catches.
#pragma once

#include "base/error.h"

#include <fovea/fovea.h>

#include <algorithm>
#include <cstring>
#include <memory>
#include <new>
#include <type_traits>

namespace fovea::api {

fovea_status to_status(ErrorCode code) noexcept;
/// The inverse, for errors that come from a caller's function.
ErrorCode to_code(fovea_status status) noexcept;

/// Runs `body`; whatever it throws becomes the status and this thread's message.
template <class Body> fovea_status guard(Body &&body) noexcept {
  try {
    body();
    return FOVEA_OK;
  } catch (const Error &e) {
    fovea_set_last_error(e.what());
    return to_status(e.code());
  } catch (const std::bad_alloc &) {
    fovea_set_last_error("out of memory");
    return FOVEA_OUT_OF_MEMORY;
  } catch (const std::exception &e) {
    fovea_set_last_error(e.what());
    return FOVEA_INTERNAL;
  } catch (...) {
    fovea_set_last_error("unknown exception");
    return FOVEA_INTERNAL;
  }
}

/// Error InvalidArgument when an argument that must be there is NULL.
template <class T> T *require(T *pointer, const char *name) {
  if (!pointer) fail(ErrorCode::InvalidArgument, "argument '", name, "' is NULL");
  return pointer;
}

/// guard() for functions that give something through `out`, which is NULL after any error. `body` returns an
/// owning pointer.
template <class T, class Body> fovea_status create(T **out, Body &&body) noexcept {
  if (out) *out = nullptr;
  return guard([&] {
    require(out, "out");
    *out = body().release();
  });
}

/// The text as the caller's, for fovea_free().
char *copy_text(std::string_view text);
template <class Body> fovea_status create_text(char **out, Body &&body) noexcept {
  if (out) *out = nullptr;
  return guard([&] {
    require(out, "out");
    *out = copy_text(body());
  });
}

/// Writes the first `size` bytes of `values` (whose struct_size is set to it) into the caller's struct; what
/// the caller has beyond is zero.
template <class T> void write_struct(T *to, size_t size, T values) noexcept {
  static_assert(std::is_trivially_copyable_v<T>);
  if (!to || size < sizeof(size_t)) return;
  values.struct_size = size;
  std::memset(static_cast<void *>(to), 0, size);
  std::memcpy(static_cast<void *>(to), &values, std::min(size, sizeof(T)));
}

/// `defaults` overlaid by the caller's struct (NULL: as they are). Error Unsupported when the caller knows
/// fields that this library does not, and has set them.
template <class T> T read_struct(const T *from, T defaults, const char *name) {
  if (!from) return defaults;
  const size_t size = from->struct_size;
  if (size < sizeof(size_t) || size > 4096)
    fail(ErrorCode::InvalidArgument, name, ": struct_size is ", size,
         "; initialise it with its _init function");
  const auto *bytes = reinterpret_cast<const unsigned char *>(from);
  if (std::any_of(bytes + std::min(size, sizeof(T)), bytes + size, [](unsigned char b) { return b != 0; }))
    fail(ErrorCode::Unsupported, name, ": has fields set that this version of the library (", fovea_version(),
         ") does not know");
  std::memcpy(static_cast<void *>(&defaults), from, std::min(size, sizeof(T)));
  defaults.struct_size = sizeof(T);
  return defaults;
}

/// Throws Cancelled when the callback asks to stop.
void report_progress(fovea_progress_fn progress, void *user, double done, double total);

} // namespace fovea::api
