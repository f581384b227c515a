#include "vk/select.h"

#include <algorithm>
#include <cctype>
#include <charconv>

namespace fovea::vk {
namespace {

std::string lower(std::string_view text) {
  std::string out(text);
  for (char &c : out) c = char(std::tolower(static_cast<unsigned char>(c)));
  return out;
}

/// Smaller is better.
int rank(DeviceType type) {
  switch (type) {
  case DeviceType::Discrete: return 0;
  case DeviceType::Integrated: return 1;
  case DeviceType::Virtual: return 2;
  case DeviceType::Other: return 3;
  case DeviceType::Software: return 4;
  }
  return 5;
}

std::string describe(std::span<const DeviceInfo> devices) {
  if (devices.empty())
    return "the Vulkan loader finds no device at all; install a driver (Debian and Ubuntu: apt install "
           "mesa-vulkan-drivers, or the graphics card's own)";
  std::string out;
  for (const DeviceInfo &device : devices)
    out += concat(out.empty() ? "" : "; ", device.index, " \"", device.caps.name, "\" (", device.caps.type,
                  device.usable ? ")" : "): ", device.rejected);
  return out;
}

std::string what_there_is(std::span<const DeviceInfo> devices) {
  return concat(devices.empty()       ? ""
                : devices.size() == 1 ? "there is: "
                                      : concat("there are ", devices.size(), ": "),
                describe(devices));
}

uint32_t take(const DeviceInfo &device, std::string_view selector) {
  if (!device.usable)
    fail(ErrorCode::NoDevice, "device \"", selector, "\" is ", device.index, " \"", device.caps.name,
         "\", which cannot be used: ", device.rejected);
  return device.index;
}

} // namespace

uint32_t select_device(std::span<const DeviceInfo> devices, std::string_view selector) {
  if (selector.empty()) {
    const DeviceInfo *best = nullptr;
    for (const DeviceInfo &device : devices)
      if (device.usable && (!best || rank(device.caps.type) < rank(best->caps.type))) best = &device;
    if (!best) fail(ErrorCode::NoDevice, "no usable Vulkan device: ", describe(devices));
    return best->index;
  }

  uint32_t index = 0;
  const char *end = selector.data() + selector.size();
  if (const auto parsed = std::from_chars(selector.data(), end, index); parsed.ptr == end) {
    for (const DeviceInfo &device : devices)
      if (parsed.ec == std::errc() && device.index == index) return take(device, selector);
    fail(ErrorCode::NoDevice, "no Vulkan device ", selector, "; ", what_there_is(devices));
  }

  const std::string wanted = lower(selector);
  const DeviceInfo *found = nullptr;
  for (const DeviceInfo &device : devices) {
    if (lower(device.caps.name).find(wanted) == std::string::npos) continue;
    // Of several that fit, the first usable one; two cards of one name are told apart by index.
    if (!found || (!found->usable && device.usable)) found = &device;
  }
  if (!found)
    fail(ErrorCode::NoDevice, "no Vulkan device's name contains \"", selector, "\"; ",
         what_there_is(devices));
  return take(*found, selector);
}

} // namespace fovea::vk
