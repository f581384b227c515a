#include "vk/adjust.h"

#include "base/error.h"
#include "kernels/catalogue.h"
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

bool safe_from_environment() {
  const char *value = std::getenv("FOVEA_SAFE");
  const std::string_view text = value ? value : "";
  if (!text.empty() && text != "0" && text != "1")
    fail(ErrorCode::InvalidArgument, "FOVEA_SAFE is '", text, "', expected 0 or 1");
  return text == "1";
}

void keep_to_base(DeviceCaps &caps) {
  caps.subgroup_size = caps.min_subgroup_size = caps.max_subgroup_size = 0;
  caps.subgroup_arithmetic = caps.subgroup_shuffle = caps.subgroup_ballot = false;
  caps.shader_f16 = caps.shader_int8 = caps.integer_dot_product = false;
  caps.fuse_norms = false;
  for (uint32_t id = 0; id < kKernelCount; ++id)
    for (const char *part : {"subgroup", "texel", "broadcast", "stream"})
      if (std::string_view(to_string(KernelId(id))).find(part) != std::string_view::npos)
        caps.disabled_kernels.insert(id);
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
