// Diagnostics. Off by default above warnings; the application may take them over.
// Thread-safety: log() may be called from any thread; set_log_sink() before other threads start.
#pragma once

#include "base/error.h"

#include <functional>

namespace fovea {

enum class LogLevel { Error, Warning, Info, Debug };

using LogSink = std::function<void(LogLevel, std::string_view message)>;

/// Replaces the default sink (stderr, "fovea: warning: …"). An empty function restores it.
void set_log_sink(LogSink sink);
/// Messages above this level are dropped. Default: Warning, or FOVEA_LOG=error|warning|info|debug.
void set_log_level(LogLevel level);
/// Error InvalidArgument where FOVEA_LOG is none of these (empty: unset); set_log_level() does not matter.
void check_log_environment();
bool log_enabled(LogLevel level);
void log_message(LogLevel level, std::string_view message);

template <class... Parts> void log(LogLevel level, const Parts &...parts) {
  if (log_enabled(level)) log_message(level, concat(parts...));
}

} // namespace fovea
