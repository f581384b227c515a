#include "vk/adjust.h"

#include "base/error.h"
#include "kernels/quirks.h"

#include <cstdlib>

namespace fovea::vk {
namespace {

std::optional<DeviceProfile> profile_from_environment() {
  const char *value = std::getenv("FOVEA_PRETEND");
  if (!value || !*value) return {};
  try {
    return load_profile(value);
  } catch (const Error &e) {
    fail(e.code(), "FOVEA_PRETEND: ", e.what());
  }
}

} // namespace

Adjustments Adjustments::of(const std::optional<std::string> &pretend) {
  Adjustments out;
  if (!pretend)
    out.profile = profile_from_environment();
  else if (!pretend->empty())
    out.profile = load_profile(*pretend);
  return out;
}

void Adjustments::apply(DeviceInfo &device) const {
  apply_quirks(device.caps);
  if (!profile) return;
  clamp(device.caps, *profile);
  if (!device.usable) return;
  device.rejected = rejection(device.caps);
  device.usable = device.rejected.empty();
}

void forge(DeviceInfo &device, const DeviceCaps &real, const std::function<void(DeviceCaps &)> &adjust_caps) {
  DeviceCaps &caps = device.caps;
  adjust_caps(caps);
  for (bool DeviceCaps::*feature :
       {&DeviceCaps::shader_f16, &DeviceCaps::shader_int8, &DeviceCaps::storage_16bit,
        &DeviceCaps::integer_dot_product, &DeviceCaps::host_pointer_import,
        &DeviceCaps::subgroup_size_control, &DeviceCaps::subgroup_arithmetic, &DeviceCaps::subgroup_shuffle,
        &DeviceCaps::subgroup_ballot})
    caps.*feature = caps.*feature && real.*feature;
  if (const std::string why = rejection(caps); !why.empty())
    fail(ErrorCode::NoDevice, "device ", device.index, " \"", caps.name, "\", with adjusted limits: ", why);
}

} // namespace fovea::vk
