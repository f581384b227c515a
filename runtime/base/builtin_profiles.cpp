#include "base/device_profile.h"

namespace fovea {
namespace {

constexpr BuiltinProfile kProfiles[] = {
#include "base/profiles.inc"
};

} // namespace

std::span<const BuiltinProfile> builtin_profiles() { return kProfiles; }

} // namespace fovea
