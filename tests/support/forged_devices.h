// Limits of devices that there are not: what planning sees of phones, GPUs and software drivers.
#pragma once

#include "base/device_caps.h"
#include "base/error.h"

#include <vector>

namespace fovea::test {

inline DeviceCaps forged_device(uint32_t lanes, uint32_t driver_id = 0) {
  DeviceCaps caps;
  caps.name = concat("lanes ", lanes, " driver ", driver_id);
  caps.driver_id = driver_id;
  caps.subgroup_size = caps.min_subgroup_size = caps.max_subgroup_size = lanes;
  caps.subgroup_arithmetic = caps.subgroup_shuffle = caps.subgroup_ballot = lanes > 0;
  caps.max_texel_buffer_elements = 1u << 27;
  caps.max_workgroup_invocations = 256;
  caps.max_workgroup_size = {256, 256, 64};
  caps.max_shared_memory_bytes = 32768;
  return caps;
}

inline std::vector<DeviceCaps> forged_devices() {
  return {DeviceCaps{},
          forged_device(4),
          forged_device(4, kSwiftShaderDriverId),
          forged_device(8, kLlvmpipeDriverId),
          forged_device(32),
          forged_device(64)};
}

} // namespace fovea::test
