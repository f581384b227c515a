#include "base/log.h"

#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <mutex>

namespace fovea {
namespace {

constexpr const char *kNames[] = {"error", "warning", "info", "debug"};

struct State {
  std::mutex mutex;
  LogSink sink;
  std::atomic<LogLevel> level{LogLevel::Warning};
  State() {
    const char *wanted = std::getenv("FOVEA_LOG");
    for (int i = 0; wanted && i < 4; ++i)
      if (std::string_view(wanted) == kNames[i]) level = LogLevel(i);
  }
};

State &state() {
  static State s;
  return s;
}

} // namespace

void set_log_sink(LogSink sink) {
  const std::lock_guard lock(state().mutex);
  state().sink = std::move(sink);
}

void set_log_level(LogLevel level) { state().level = level; }

void check_log_environment() {
  const char *value = std::getenv("FOVEA_LOG");
  const std::string_view text = value ? value : "";
  if (text.empty()) return;
  for (const char *name : kNames)
    if (text == name) return;
  fail(ErrorCode::InvalidArgument, "FOVEA_LOG is \"", text, "\"; expected error, warning, info or debug");
}

bool log_enabled(LogLevel level) { return level <= state().level; }

void log_message(LogLevel level, std::string_view message) {
  State &s = state();
  const std::lock_guard lock(s.mutex);
  if (s.sink)
    s.sink(level, message);
  else
    std::fprintf(stderr, "fovea: %s: %.*s\n", kNames[int(level)], int(message.size()), message.data());
}

} // namespace fovea
