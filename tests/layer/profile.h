// What a device within a profile (base/device_profile.h) says that it has: profile_masks.cpp makes the
// driver's answers so, and profile_checks.cpp holds the calls against it. What profiles say nothing of is the
// least that the specification lets a device have. Any thread.
#pragma once

#include "base/device_profile.h"
#include "layer/core.h"

#include <set>
#include <vector>

namespace fovea::layer {

/// Required of every device; Fovea asks no device for more.
struct LeastLimits {
  uint32_t uniform_range = 16384, sets = 4;
  uint32_t stage_uniform_buffers = 12, stage_texel_buffers = 16, stage_storage_texels = 4, stage_all = 128;
  uint32_t set_storage_buffers = 24, set_uniform_buffers = 72;
  uint32_t allocations = 4096;
};
constexpr LeastLimits kLeast;

/// What a device has under a profile.
struct Limits {
  DeviceProfile profile;
  bool disguised = false;                         // says nothing of being software
  DeviceCaps caps;                                // clamped
  VkSubgroupFeatureFlags subgroup_operations = 0; // of compute shaders
  VkPhysicalDeviceMemoryProperties memory{};
  std::vector<uint32_t> real_types; // by type of `memory`
  std::set<std::string> extensions;

  bool has_feature(std::string_view name) const;
};

/// Unset: no profile, or a device of Vulkan 1.0.
std::optional<Limits> limits_of(VkPhysicalDevice physical);

/// A structure of features that is known here: VkBool32s by name.
struct FeatureStructure {
  VkStructureType type;
  std::vector<const char *> names;
};
const FeatureStructure *find_features(VkStructureType type);
/// The first of a structure's, as many as its description has names.
VkBool32 *features_in(VkBaseOutStructure *structure);

/// Formats whose buffer views every device offers to shaders: bytes of a texel, or 0.
uint32_t bytes_of_texel(VkFormat format);

/// What reports the rest: of vkCreateDevice.
void attach_profile_checks(InstanceFunctions &table);

/// A name or file, "" for none; what is created from now on. False, with a report, where there is no such.
bool set_profile(const char *name_or_path, bool disguised);
/// Calls held against a limit, since reset().
uint64_t n_limit_checks();
/// Functions that Fovea does not call, through which an application could see what is masked; null: none.
PFN_vkVoidFunction profile_function(std::string_view name);

} // namespace fovea::layer
