#include "layer/reports.h"

#include "layer/core.h"
#include "layer/interface.h"

#include <cstdio>
#include <deque>
#include <map>
#include <unistd.h>

namespace fovea::layer {
namespace {

constexpr size_t kKept = 1000;

struct Reports {
  std::mutex mutex;
  uint64_t count = 0;
  std::deque<std::string> kept; // a deque: report_text() hands out what they own
  std::map<VkDebugUtilsMessengerEXT, VkDebugUtilsMessengerCreateInfoEXT> messengers;
};

Reports &reports() {
  static Reports &all = *new Reports; // outlives the application's own statics
  return all;
}

// When the module goes, after everything of the application's: it is linked not to be unloaded before.
[[gnu::destructor]] void end() {
  if (reports().count == 0 || std::string_view(environment("FOVEA_LAYER_EXIT")) != "1") return;
  std::fflush(nullptr);
  ::_exit(kExitStatus);
}

} // namespace

void report(const std::string &text) {
  Reports &r = reports();
  std::map<VkDebugUtilsMessengerEXT, VkDebugUtilsMessengerCreateInfoEXT> messengers;
  {
    const std::lock_guard lock(r.mutex);
    ++r.count;
    if (r.kept.size() < kKept) {
      r.kept.push_back(text);
      std::fprintf(stderr, "fovea-layer: %s\n", text.c_str());
    }
    messengers = r.messengers;
  }
  auto data = vk::structure<VkDebugUtilsMessengerCallbackDataEXT>(
      VK_STRUCTURE_TYPE_DEBUG_UTILS_MESSENGER_CALLBACK_DATA_EXT);
  data.pMessageIdName = "fovea-layer";
  data.pMessage = text.c_str();
  constexpr auto kSeverity = VK_DEBUG_UTILS_MESSAGE_SEVERITY_ERROR_BIT_EXT;
  constexpr auto kType = VK_DEBUG_UTILS_MESSAGE_TYPE_VALIDATION_BIT_EXT;
  for (const auto &[handle, info] : messengers)
    if ((info.messageSeverity & kSeverity) && (info.messageType & kType))
      info.pfnUserCallback(kSeverity, kType, &data, info.pUserData);
}

void add_messenger(VkDebugUtilsMessengerEXT handle, const VkDebugUtilsMessengerCreateInfoEXT &info) {
  const std::lock_guard lock(reports().mutex);
  reports().messengers[handle] = info;
}

void remove_messenger(VkDebugUtilsMessengerEXT handle) {
  const std::lock_guard lock(reports().mutex);
  reports().messengers.erase(handle);
}

uint64_t n_reports() {
  const std::lock_guard lock(reports().mutex);
  return reports().count;
}

const char *report_text(uint64_t index) {
  const std::lock_guard lock(reports().mutex);
  return index < reports().kept.size() ? reports().kept[index].c_str() : "";
}

} // namespace fovea::layer
