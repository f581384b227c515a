// Errors, version, diagnostics and cancellation: what needs neither device nor model.
#include "api/handles.h"

#include "base/log.h"

#include <cstdlib>
#include <memory>
#include <new>
#include <pthread.h>
#include <string>

#define FOVEA_TEXT_OF(x) #x
#define FOVEA_VERSION_TEXT(major, minor, patch)                                                              \
  FOVEA_TEXT_OF(major) "." FOVEA_TEXT_OF(minor) "." FOVEA_TEXT_OF(patch)

namespace {

constexpr std::string_view kVersion =
    FOVEA_VERSION_TEXT(FOVEA_VERSION_MAJOR, FOVEA_VERSION_MINOR, FOVEA_VERSION_PATCH);
static_assert(kVersion == FOVEA_PROJECT_VERSION, "status.h and CMakeLists.txt disagree about the version");

/// Each thread's message. Not a thread_local string: where there is no memory to register its destructor
/// with, glibc ends the process.
class Messages {
public:
  Messages()
      : has_key_(pthread_key_create(&key_, [](void *m) { delete static_cast<std::string *>(m); }) == 0) {}
  ~Messages() {
    if (has_key_) pthread_key_delete(key_);
  }
  Messages(const Messages &) = delete;
  Messages &operator=(const Messages &) = delete;

  /// NULL: this thread has none yet.
  std::string *find() const {
    return has_key_ ? static_cast<std::string *>(pthread_getspecific(key_)) : nullptr;
  }
  std::string &get() const {
    if (std::string *const message = find()) return *message;
    auto message = std::make_unique<std::string>();
    if (!has_key_ || pthread_setspecific(key_, message.get()) != 0) throw std::bad_alloc();
    return *message.release();
  }

private:
  pthread_key_t key_{};
  bool has_key_;
} g_messages;
thread_local bool t_no_memory = false; // for the message

} // namespace

extern "C" {

const char *fovea_version(void) { return kVersion.data(); }

const char *fovea_status_name(fovea_status status) {
  switch (status) {
  case FOVEA_OK: return "ok";
  case FOVEA_INVALID_ARGUMENT:
  case FOVEA_INVALID_FILE:
  case FOVEA_INVALID_GRAPH:
  case FOVEA_NOT_FOUND:
  case FOVEA_IO:
  case FOVEA_UNSUPPORTED:
  case FOVEA_OUT_OF_MEMORY:
  case FOVEA_NO_DEVICE:
  case FOVEA_DEVICE_LOST:
  case FOVEA_TIMEOUT:
  case FOVEA_CANCELLED:
  case FOVEA_INTERNAL:
  case FOVEA_WRONG_RESULT: return fovea::to_string(fovea::api::to_code(status));
  case FOVEA_STATUS_32_BITS: break;
  }
  return "unknown status";
}

const char *fovea_last_error(void) {
  if (t_no_memory) return "out of memory";
  const std::string *const message = g_messages.find();
  return message ? message->c_str() : "";
}

void fovea_set_last_error(const char *message) {
  t_no_memory = false;
  try {
    g_messages.get() = message ? message : "";
  } catch (const std::bad_alloc &) {
    t_no_memory = true; // the status says what else happened
  }
}

void fovea_free(char *text) { std::free(text); }

void fovea_set_log(fovea_log_fn log, void *user) {
  fovea::api::guard([&] {
    if (log)
      fovea::set_log_sink([log, user](fovea::LogLevel level, std::string_view message) {
        log(user, fovea_log_level(level), std::string(message).c_str());
      });
    else
      fovea::set_log_sink({});
  });
}

void fovea_set_log_level(fovea_log_level level) {
  fovea::set_log_level(fovea::LogLevel(std::clamp(int(level), int(FOVEA_LOG_ERROR), int(FOVEA_LOG_DEBUG))));
}

fovea_status fovea_cancel_create(fovea_cancel **out) {
  return fovea::api::create(out, [] { return std::make_unique<fovea_cancel>(); });
}
void fovea_cancel_request(fovea_cancel *cancel) {
  static_assert(std::atomic<bool>::is_always_lock_free, "or it would not be safe in a signal handler");
  if (cancel) cancel->requested.store(true);
}
void fovea_cancel_reset(fovea_cancel *cancel) {
  if (cancel) cancel->requested.store(false);
}
int fovea_cancel_requested(const fovea_cancel *cancel) { return cancel && cancel->requested.load() ? 1 : 0; }
void fovea_cancel_release(fovea_cancel *cancel) { delete cancel; }

} // extern "C"
