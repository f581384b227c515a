// What is taken from the limits and features that a driver reports before anything uses them: what it is
// known to do wrong (kernels/quirks.h), and what the device that it pretends to be has not
// (base/device_profile.h). Values; thread-safe. Throws what reading these files throws, and names the
// environment variable that they came from.
#pragma once

#include "base/device_profile.h"
#include "vk/caps_query.h"

#include <functional>
#include <optional>

namespace fovea::vk {

struct Adjustments {
  std::optional<DeviceProfile> profile;

  /// `pretend`: a profile's name or file; empty: none; unset: FOVEA_PRETEND. Quirks are those of
  /// FOVEA_QUIRKS.
  static Adjustments of(const std::optional<std::string> &pretend);
  /// Also rejects a device that with these limits cannot be used.
  void apply(DeviceInfo &device) const;
};

/// FOVEA_SAFE: whether only base kernels shall run. Error InvalidArgument for anything but 0 and 1.
bool safe_from_environment();
/// Leaves the kernels that ask the least of a driver: no subgroup operations, no texel buffers, no optional
/// arithmetic, no norms within products.
void keep_to_base(DeviceCaps &caps);

/// Limits as a caller forges them, but no feature appears that `real` lacks. Error NoDevice, naming the
/// device, when no kernels run with them.
void forge(DeviceInfo &device, const DeviceCaps &real, const std::function<void(DeviceCaps &)> &adjust_caps);

} // namespace fovea::vk
