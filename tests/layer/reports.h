// Violations: told on stderr, kept, and passed to the debug messengers that the application registered.
// Thread-safety: all functions.
#pragma once

#include <string>
#include <vulkan/vulkan.h>

namespace fovea::layer {

void add_messenger(VkDebugUtilsMessengerEXT handle, const VkDebugUtilsMessengerCreateInfoEXT &info);
void remove_messenger(VkDebugUtilsMessengerEXT handle);
uint64_t n_reports();
const char *report_text(uint64_t index);

} // namespace fovea::layer
