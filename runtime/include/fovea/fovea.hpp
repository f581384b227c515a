// Fovea for C++17 and later: RAII over fovea.h, header-only, no symbols of its own in the library.
//
// What can fail returns a Result: `if (!r) … r.message()`, or r.value(), which throws fovea::Error (or
// aborts, where exceptions are off). Handles are movable and release themselves; get() gives the C handle for
// what has no wrapper here. Options are the C structs with their defaults set. Thread-safety, units and
// errors: fovea.h. An exception that a callback throws stops the call and comes out of it.
#pragma once

#include <fovea/doctor.h>
#include <fovea/measure.h>

#include <cstdlib>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>
#if defined(__cpp_exceptions)
#include <exception>
#include <stdexcept>
#else
#include <cstdio>
#endif

namespace fovea {
inline namespace client { // so that these names never meet the library's own

#if defined(__cpp_exceptions)
class Error : public std::runtime_error {
public:
  Error(fovea_status status, const std::string &message) : std::runtime_error(message), status_(status) {}
  fovea_status status() const noexcept { return status_; }

private:
  fovea_status status_;
};
#endif

namespace detail {

[[noreturn]] inline void raise(fovea_status status, const std::string &message) {
#if defined(__cpp_exceptions)
  throw Error(status, message);
#else
  std::fprintf(stderr, "fovea: error: %s (%s)\n", message.c_str(), fovea_status_name(status));
  std::abort();
#endif
}

/// Keeps what a callback throws until the C call that made it has returned.
class Guard {
public:
  template <class F> int operator()(F &&f) noexcept {
#if defined(__cpp_exceptions)
    if (caught_) return 1;
    try {
      return f();
    } catch (...) {
      caught_ = std::current_exception();
      return 1;
    }
#else
    return f();
#endif
  }
  void rethrow() {
#if defined(__cpp_exceptions)
    if (caught_) std::rethrow_exception(std::exchange(caught_, nullptr));
#endif
  }

private:
#if defined(__cpp_exceptions)
  std::exception_ptr caught_;
#endif
};

template <class T, void (*Release)(T *)> struct Releaser {
  void operator()(T *p) const { Release(p); }
};
template <class T, void (*Release)(T *)> using Handle = std::unique_ptr<T, Releaser<T, Release>>;

} // namespace detail

/// A T, or the status and message of the call that failed.
template <class T> class [[nodiscard]] Result {
public:
  Result(T value) : value_(std::move(value)) {}
  /// This thread's last error.
  explicit Result(fovea_status failed) : status_(failed), message_(fovea_last_error()) {}

  explicit operator bool() const { return value_.has_value(); }
  fovea_status status() const { return status_; }
  const std::string &message() const { return message_; }
  T &value() & { return *checked(); }
  T value() && { return std::move(*checked()); }
  T &operator*() { return *value_; }
  const T &operator*() const { return *value_; }
  T *operator->() { return &*value_; }
  const T *operator->() const { return &*value_; }

private:
  T *checked() {
    if (!value_) detail::raise(status_, message_);
    return &*value_;
  }
  std::optional<T> value_;
  fovea_status status_ = FOVEA_OK;
  std::string message_;
};

template <> class [[nodiscard]] Result<void> {
public:
  explicit Result(fovea_status status) : status_(status) {
    if (status != FOVEA_OK) message_ = fovea_last_error();
  }
  explicit operator bool() const { return status_ == FOVEA_OK; }
  fovea_status status() const { return status_; }
  const std::string &message() const { return message_; }
  void value() const {
    if (status_ != FOVEA_OK) detail::raise(status_, message_);
  }

private:
  fovea_status status_;
  std::string message_;
};

namespace detail {

/// Takes over a text given through an out pointer.
inline Result<std::string> take_text(fovea_status status, char *text) {
  if (status != FOVEA_OK) return Result<std::string>(status);
  const std::unique_ptr<char, Releaser<char, fovea_free>> owner(text);
  return std::string(text);
}

} // namespace detail

inline const char *version() { return fovea_version(); }

/// Done and total; return false to stop.
using Progress = std::function<bool(double done, double total)>;

namespace detail {
/// Puts a Progress into the progress and user fields of a call's options, which must not outlive it.
class ProgressContext {
public:
  template <class Options> ProgressContext(const Progress &progress, Options &options) : progress_(progress) {
    options.user = this;
    options.progress = nullptr;
    if (progress)
      options.progress = [](void *user, double done, double total) {
        auto &self = *static_cast<ProgressContext *>(user);
        return self.guard_([&] { return self.progress_(done, total) ? 0 : 1; });
      };
  }
  ProgressContext(const ProgressContext &) = delete;
  ProgressContext &operator=(const ProgressContext &) = delete;
  /// What the progress function threw, thrown again; to be called after the call.
  void rethrow() { guard_.rethrow(); }

private:
  const Progress &progress_;
  Guard guard_;
};
} // namespace detail

class Cancel {
public:
  static Result<Cancel> create() {
    fovea_cancel *handle = nullptr;
    const fovea_status status = fovea_cancel_create(&handle);
    return status == FOVEA_OK ? Result<Cancel>(Cancel(handle)) : Result<Cancel>(status);
  }
  void request() { fovea_cancel_request(get()); }
  void reset() { fovea_cancel_reset(get()); }
  bool requested() const { return fovea_cancel_requested(get()) != 0; }
  fovea_cancel *get() const { return handle_.get(); }

private:
  explicit Cancel(fovea_cancel *handle) : handle_(handle) {}
  detail::Handle<fovea_cancel, fovea_cancel_release> handle_;
};

class DeviceList {
public:
  static Result<DeviceList> list() {
    fovea_device_list *handle = nullptr;
    const fovea_status status = fovea_list_devices(&handle);
    return status == FOVEA_OK ? Result<DeviceList>(DeviceList(handle)) : Result<DeviceList>(status);
  }
  size_t size() const { return fovea_device_list_count(handle_.get()); }
  const fovea_device_info &operator[](size_t i) const { return *fovea_device_list_get(handle_.get(), i); }

private:
  explicit DeviceList(fovea_device_list *handle) : handle_(handle) {}
  detail::Handle<fovea_device_list, fovea_device_list_release> handle_;
};

struct DeviceOptions : fovea_device_options {
  DeviceOptions() { fovea_device_options_init(this, sizeof(fovea_device_options)); }
};

class Device {
public:
  static Result<Device> open(const DeviceOptions &options = {}) {
    fovea_device *handle = nullptr;
    const fovea_status status = fovea_device_open(&options, &handle);
    return status == FOVEA_OK ? Result<Device>(Device(handle)) : Result<Device>(status);
  }
  const fovea_device_info &info() const { return *fovea_device_get_info(get()); }
  fovea_device *get() const { return handle_.get(); }

private:
  explicit Device(fovea_device *handle) : handle_(handle) {}
  detail::Handle<fovea_device, fovea_device_release> handle_;
};

struct ModelOptions : fovea_model_options {
  ModelOptions() { fovea_model_options_init(this, sizeof(fovea_model_options)); }
};

class Model {
public:
  static Result<Model> open(const std::string &path, const ModelOptions &options = {}) {
    fovea_model *handle = nullptr;
    const fovea_status status = fovea_model_open(path.c_str(), &options, &handle);
    return status == FOVEA_OK ? Result<Model>(Model(handle)) : Result<Model>(status);
  }
  const char *path() const { return fovea_model_path(get()); }
  const char *task() const { return fovea_model_task(get()); }
  uint64_t file_bytes() const { return fovea_model_file_bytes(get()); }
  size_t n_metadata() const { return fovea_model_metadata_count(get()); }
  const fovea_metadata &metadata(size_t i) const { return *fovea_model_metadata(get(), i); }
  Result<std::string> metadata_text(const char *key, uint64_t element = 0) const {
    char *text = nullptr;
    const fovea_status status = fovea_model_metadata_text(get(), key, element, &text);
    return detail::take_text(status, text);
  }
  size_t n_tensors() const { return fovea_model_tensor_count(get()); }
  const fovea_tensor_info &tensor(size_t i) const { return *fovea_model_tensor(get(), i); }
  size_t n_graphs() const { return fovea_model_graph_count(get()); }
  const char *graph_name(size_t i) const { return fovea_model_graph_name(get(), i); }
  /// nullptr when there is none of that name.
  const char *graph_text(const std::string &name) const {
    return fovea_model_graph_text(get(), name.c_str());
  }
  /// `device` nullptr: for the least device that Fovea supports.
  Result<std::string> plan(const Device *device, const std::string &graph,
                           const std::vector<fovea_size> &sizes = {}) const {
    char *text = nullptr;
    const fovea_status status = fovea_model_plan(get(), device ? device->get() : nullptr, graph.c_str(),
                                                 sizes.data(), sizes.size(), &text);
    return detail::take_text(status, text);
  }
  Result<void> verify() const { return Result<void>(fovea_model_verify(get())); }
  fovea_model *get() const { return handle_.get(); }

private:
  explicit Model(fovea_model *handle) : handle_(handle) {}
  detail::Handle<fovea_model, fovea_model_release> handle_;
};

class Results {
public:
  explicit Results(fovea_results *handle) : handle_(handle) {}
  size_t size() const { return fovea_results_count(handle_.get()); }
  const fovea_tensor &operator[](size_t i) const { return *fovea_results_get(handle_.get(), i); }

private:
  detail::Handle<fovea_results, fovea_results_release> handle_;
};

struct RunOptions : fovea_run_options {
  RunOptions() { fovea_run_options_init(this, sizeof(fovea_run_options)); }
};

class Session {
public:
  static Result<Session> create(const Device &device, const Model &model, const Progress &progress = {},
                                bool profile = false) {
    fovea_session_options options;
    fovea_session_options_init(&options, sizeof options);
    options.profile = profile;
    detail::ProgressContext context(progress, options);
    fovea_session *handle = nullptr;
    const fovea_status status = fovea_session_create(device.get(), model.get(), &options, &handle);
    context.rethrow();
    return status == FOVEA_OK ? Result<Session>(Session(handle)) : Result<Session>(status);
  }
  Result<Results> run(const std::vector<fovea_tensor> &inputs, const RunOptions &options = {}) {
    fovea_results *results = nullptr;
    const fovea_status status = fovea_session_run(get(), &options, inputs.data(), inputs.size(), &results);
    return status == FOVEA_OK ? Result<Results>(Results(results)) : Result<Results>(status);
  }
  Result<fovea_memory> memory() const {
    fovea_memory memory;
    fovea_memory_init(&memory, sizeof memory);
    const fovea_status status = fovea_session_memory(get(), &memory);
    return status == FOVEA_OK ? Result<fovea_memory>(memory) : Result<fovea_memory>(status);
  }
  Result<std::string> profile() const {
    char *text = nullptr;
    const fovea_status status = fovea_session_profile(get(), &text);
    return detail::take_text(status, text);
  }
  fovea_session *get() const { return handle_.get(); }

private:
  explicit Session(fovea_session *handle) : handle_(handle) {}
  detail::Handle<fovea_session, fovea_session_release> handle_;
};

struct BenchOptions : fovea_bench_options {
  BenchOptions() { fovea_bench_options_init(this, sizeof(fovea_bench_options)); }
};
/// JSON.
inline Result<std::string> bench(const Device &device, const std::string &model_path,
                                 const BenchOptions &options = {}) {
  char *text = nullptr;
  const fovea_status status = fovea_bench(device.get(), model_path.c_str(), &options, &text);
  return detail::take_text(status, text);
}

struct TuneOptions : fovea_tune_options {
  TuneOptions() { fovea_tune_options_init(this, sizeof(fovea_tune_options)); }
};
/// JSON. `model_path` empty: a standard set of shapes.
inline Result<std::string> tune(const Device &device, const std::string &model_path = {},
                                const TuneOptions &options = {}) {
  char *text = nullptr;
  const char *path = model_path.empty() ? nullptr : model_path.c_str();
  const fovea_status status = fovea_tune(device.get(), path, &options, &text);
  return detail::take_text(status, text);
}
struct DoctorOptions : fovea_doctor_options {
  DoctorOptions() { fovea_doctor_options_init(this, sizeof(fovea_doctor_options)); }
};
/// JSON. `model_path` empty: a standard set of ops.
inline Result<std::string> doctor(const Device &device, const std::string &model_path = {},
                                  const DoctorOptions &options = {}) {
  char *text = nullptr;
  const char *path = model_path.empty() ? nullptr : model_path.c_str();
  const fovea_status status = fovea_doctor(device.get(), path, &options, &text);
  return detail::take_text(status, text);
}
struct VerifyOptions : fovea_verify_options {
  VerifyOptions() { fovea_verify_options_init(this, sizeof(fovea_verify_options)); }
};
/// JSON.
inline Result<std::string> verify(const Device &device, const Model &model, const std::vector<fovea_tensor> &inputs = {},
                                  const VerifyOptions &options = {}) {
  char *text = nullptr;
  const fovea_status status =
      fovea_verify(device.get(), model.get(), &options, inputs.data(), inputs.size(), &text);
  return detail::take_text(status, text);
}
inline Result<void> doctor_clear(const Device &device) { return Result<void>(fovea_doctor_clear(device.get())); }
inline Result<void> tune_clear(const Device &device) { return Result<void>(fovea_tune_clear(device.get())); }

} // namespace client
} // namespace fovea
