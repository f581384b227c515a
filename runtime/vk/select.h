// Which device to use: pure functions over the list of devices.
#pragma once

#include "vk/caps_query.h"

#include <span>

namespace fovea::vk {

/// The index of the chosen device. `selector` is an index, or part of a name (any case; the first usable one
/// that fits); empty takes the best usable one: discrete, integrated, virtual, other, software last. Error
/// NoDevice lists every device and why it was not taken.
uint32_t select_device(std::span<const DeviceInfo> devices, std::string_view selector);

} // namespace fovea::vk
