// What Vulkan calls the features that profiles name, and how large its texels are.
#include "layer/profile.h"

#include <algorithm>

namespace fovea::layer {

const FeatureStructure *find_features(VkStructureType type) {
  static const FeatureStructure kKnown[] = {
      {VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_16BIT_STORAGE_FEATURES,
       {"storageBuffer16BitAccess", "uniformAndStorageBuffer16BitAccess", "storagePushConstant16",
        "storageInputOutput16"}},
      {VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_8BIT_STORAGE_FEATURES,
       {"storageBuffer8BitAccess", "uniformAndStorageBuffer8BitAccess", "storagePushConstant8"}},
      {VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_SHADER_FLOAT16_INT8_FEATURES, {"shaderFloat16", "shaderInt8"}},
      {VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_SHADER_INTEGER_DOT_PRODUCT_FEATURES, {"shaderIntegerDotProduct"}},
      {VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_SUBGROUP_SIZE_CONTROL_FEATURES,
       {"subgroupSizeControl", "computeFullSubgroups"}},
  };
  const auto *const found =
      std::find_if(std::begin(kKnown), std::end(kKnown), [&](const auto &k) { return k.type == type; });
  return found == std::end(kKnown) ? nullptr : found;
}

VkBool32 *features_in(VkBaseOutStructure *structure) {
  return reinterpret_cast<VkBool32 *>(structure + 1); // after type and next
}

uint32_t bytes_of_texel(VkFormat format) {
  switch (format) {
  case VK_FORMAT_R16_UINT:
  case VK_FORMAT_R16_SINT:
  case VK_FORMAT_R16_SFLOAT: return 2;
  case VK_FORMAT_R8G8B8A8_UINT:
  case VK_FORMAT_R8G8B8A8_SINT:
  case VK_FORMAT_R8G8B8A8_UNORM:
  case VK_FORMAT_R16G16_UINT:
  case VK_FORMAT_R16G16_SINT:
  case VK_FORMAT_R16G16_SFLOAT:
  case VK_FORMAT_R32_UINT:
  case VK_FORMAT_R32_SINT:
  case VK_FORMAT_R32_SFLOAT: return 4;
  case VK_FORMAT_R16G16B16A16_UINT:
  case VK_FORMAT_R16G16B16A16_SINT:
  case VK_FORMAT_R16G16B16A16_SFLOAT:
  case VK_FORMAT_R32G32_UINT:
  case VK_FORMAT_R32G32_SINT:
  case VK_FORMAT_R32G32_SFLOAT: return 8;
  case VK_FORMAT_R32G32B32A32_UINT:
  case VK_FORMAT_R32G32B32A32_SINT:
  case VK_FORMAT_R32G32B32A32_SFLOAT: return 16;
  default: return 0;
  }
}

} // namespace fovea::layer
