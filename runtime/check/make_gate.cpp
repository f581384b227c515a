#include "check/make_gate.h"

#include "check/gate.h"

namespace fovea::check {

std::shared_ptr<KernelGate> make_gate(const DeviceCaps &caps, const std::string &folder,
                                      const GateOptions &options) {
  return std::make_shared<Gate>(caps, folder, options);
}

} // namespace fovea::check
