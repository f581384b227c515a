#include "base/device_caps.h"

namespace fovea {

const char *to_string(DeviceType type) {
  switch (type) {
  case DeviceType::Discrete: return "discrete GPU";
  case DeviceType::Integrated: return "integrated GPU";
  case DeviceType::Virtual: return "virtual GPU";
  case DeviceType::Software: return "software (CPU)";
  case DeviceType::Other: return "other";
  }
  return "other";
}

} // namespace fovea
