#include "vk/tuning_file.h"

#include "base/error.h"
#include "base/log.h"
#include "base/mapped_file.h"
#include "vk/pipeline_cache.h"

#include <cstdlib>
#include <filesystem>

namespace fovea::vk {
namespace {

constexpr uint64_t kMaxBytes = 4 << 20;

} // namespace

std::string tuning_path(const std::string &folder, const DeviceCaps &caps) {
  return folder.empty() ? "" : concat(folder, "/tuning-", hex(cache_key(caps)), ".txt");
}

std::shared_ptr<const TuningTable> load_tuning(const std::string &folder, const DeviceCaps &caps) {
  const std::string path = tuning_path(folder, caps);
  std::error_code unreadable;
  if (path.empty() || !std::filesystem::exists(path, unreadable)) return nullptr;
  try {
    const MappedFile file(path);
    const auto bytes = file.bytes();
    if (bytes.size() > kMaxBytes)
      fail(ErrorCode::InvalidArgument, bytes.size(), " bytes are more than a table has");
    auto table = std::make_shared<const TuningTable>(
        parse_tuning({reinterpret_cast<const char *>(bytes.data()), bytes.size()}, cache_key(caps)));
    log(LogLevel::Info, path, ": ", table->rows.size(), " choices of kernels measured on this device");
    return table;
  } catch (const Error &e) {
    log(LogLevel::Warning, path, ": ignored, run `fovea tune` to measure again: ", e.what());
    return nullptr;
  }
}

std::string save_tuning(const std::string &folder, const DeviceCaps &caps, const TuningTable &table) {
  const std::string path = tuning_path(folder, caps);
  if (path.empty())
    fail(ErrorCode::InvalidArgument,
         "there is no folder for the table: set FOVEA_CACHE_DIR, XDG_CACHE_HOME or HOME");
  std::error_code failed;
  std::filesystem::create_directories(folder, failed);
  const std::string text = print_tuning(table, cache_key(caps), concat(caps.name, ", ", caps.driver_info));
  AtomicFile file(path);
  file.write(std::as_bytes(std::span(text)));
  file.commit();
  return path;
}

bool clear_tuning(const std::string &folder, const DeviceCaps &caps) {
  const std::string path = tuning_path(folder, caps);
  std::error_code failed;
  const bool removed = !path.empty() && std::filesystem::remove(path, failed);
  if (failed) fail(ErrorCode::Io, path, ": cannot be removed: ", failed.message());
  return removed;
}

bool tuning_from_environment() {
  const char *value = std::getenv("FOVEA_TUNING");
  const std::string_view text = value ? value : "";
  if (text == "0" || text == "off") return false;
  if (text.empty() || text == "1" || text == "on") return true;
  fail(ErrorCode::InvalidArgument, "FOVEA_TUNING is '", text, "', expected 0, off, 1 or on");
}

} // namespace fovea::vk
