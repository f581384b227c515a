// Speech to text while it is spoken, for C++: RAII over stream.h, as fovea.hpp is over fovea.h.
#pragma once

#include <fovea/stream.h>
#include <fovea/transcribe.hpp>

namespace fovea {
inline namespace client {

/// The struct's own callbacks and user pointer are not used here; `transcribe` points to options of yours,
/// which are read when the stream is made.
struct StreamOptions : fovea_stream_options {
  StreamOptions() { fovea_stream_options_init(this, sizeof(fovea_stream_options)); }
};

/// Any may be empty; return false to stop.
struct StreamCallbacks {
  std::function<bool(const fovea_segment &)> segment; // settled
  std::function<bool(const fovea_segment &)> partial; // all text since; it may change
  std::function<void(const char *code, float probability)> language;
};

class Stream {
public:
  static Result<Stream> create(const Transcriber &transcriber, fovea_stream_options options = StreamOptions(),
                               StreamCallbacks callbacks = {}) {
    auto context = std::make_unique<Context>();
    context->callbacks = std::move(callbacks);
    options.user = context.get();
    options.on_segment = [](void *user, const fovea_segment *segment) {
      auto &c = *static_cast<Context *>(user);
      return c.guard([&] { return !c.callbacks.segment || c.callbacks.segment(*segment) ? 0 : 1; });
    };
    options.on_partial = [](void *user, const fovea_segment *segment) {
      auto &c = *static_cast<Context *>(user);
      return c.guard([&] { return !c.callbacks.partial || c.callbacks.partial(*segment) ? 0 : 1; });
    };
    options.on_language = [](void *user, const char *code, float probability) {
      auto &c = *static_cast<Context *>(user);
      c.guard([&] {
        if (c.callbacks.language) c.callbacks.language(code, probability);
        return 0;
      });
    };
    fovea_stream *handle = nullptr;
    const fovea_status status = fovea_stream_create(transcriber.get(), &options, &handle);
    return status == FOVEA_OK ? Result<Stream>(Stream(handle, std::move(context))) : Result<Stream>(status);
  }
  Result<void> push(const float *samples, size_t n_samples) {
    return run(fovea_stream_push(get(), samples, n_samples));
  }
  Result<void> finish() { return run(fovea_stream_finish(get())); }
  Result<fovea_stream_stats> stats() const {
    fovea_stream_stats stats;
    fovea_stream_stats_init(&stats, sizeof stats);
    const fovea_status status = fovea_stream_get_stats(get(), &stats);
    return status == FOVEA_OK ? Result<fovea_stream_stats>(stats) : Result<fovea_stream_stats>(status);
  }
  fovea_stream *get() const { return handle_.get(); }

private:
  struct Context {
    StreamCallbacks callbacks;
    detail::Guard guard;
  };
  Stream(fovea_stream *handle, std::unique_ptr<Context> context)
      : context_(std::move(context)), handle_(handle) {}
  Result<void> run(fovea_status status) {
    const Result<void> result(status);
    context_->guard.rethrow();
    return result;
  }
  std::unique_ptr<Context> context_;
  detail::Handle<fovea_stream, fovea_stream_release> handle_;
};

} // namespace client
} // namespace fovea
