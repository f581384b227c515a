// DeviceProfile: another device's limits, to clamp a real one's to. Read from text, one `name = value` a
// line, by the names of DeviceCaps' fields (docs/command-line.md lists them); # begins a comment. Those that
// come with Fovea are runtime/base/profiles/*.txt, each with its source. Knows no Vulkan, so that the tests'
// layer can read the same files.
//
// Values; thread-safe. Throws InvalidArgument, with file and line, for a name that is none and for a value
// that is none of that name; NotFound. Rejected: values that forge more than the device has, since what then
// runs is not what it claims to be.
#pragma once

#include "base/device_caps.h"

#include <span>
#include <string_view>
#include <vector>

namespace fovea {

struct DeviceProfile {
  std::string name; // "mali", or the file's path
  struct Value {
    std::string_view field; // a constant's
    /// One, or a workgroup's three; yes and no are 1 and 0.
    std::array<uint64_t, 3> numbers{};
    friend bool operator==(const Value &, const Value &) = default;
  };
  std::vector<Value> values; // in the file's order, each field once

  /// What it says of a field; null when nothing.
  const Value *find(std::string_view field) const;
  /// Of what it says, not of its name.
  uint64_t hash() const;
};

/// `name` is for the profile and for errors.
DeviceProfile parse_profile(std::string_view text, const std::string &name);

struct BuiltinProfile {
  const char *name, *title, *text;
};
/// By name. None in a library for certain models (FOVEA_KERNELS_FOR).
std::span<const BuiltinProfile> builtin_profiles();
/// The built-in profile of that name, else the file: what contains a / or a . is a file. Error NotFound lists
/// the names.
DeviceProfile load_profile(const std::string &name_or_path);

/// Lowers limits, raises alignments and switches features off, never the reverse; fields that the profile
/// does not name stay. Subgroups keep the device's own width: a profile without them, or whose width varies
/// from kernel to kernel, takes from the device what cannot be counted on there. Sets caps.profile, and the
/// name says so.
void clamp(DeviceCaps &caps, const DeviceProfile &profile);

/// One feature alone, by its name in profiles, or all "subgroups". False when no feature is called that.
bool switch_off(DeviceCaps &caps, std::string_view feature);

} // namespace fovea
