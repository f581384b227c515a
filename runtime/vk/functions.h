// The Vulkan functions Fovea calls, as three tables of pointers: global, per instance, per device. Nothing
// links against the loader, and device functions skip its dispatch. Thread-safety: plain data, constant once
// loaded. Lists are macros so that each name is written once.
#pragma once

#include <vulkan/vulkan.h>

namespace fovea::vk {

/// A Vulkan structure of the given type, else zero.
template <class T> T structure(VkStructureType type) {
  T out{};
  out.sType = type;
  return out;
}

// clang-format off
#define FOVEA_VK_GLOBAL(X) \
  X(CreateInstance) X(EnumerateInstanceLayerProperties) X(EnumerateInstanceExtensionProperties)
#define FOVEA_VK_INSTANCE(X) \
  X(DestroyInstance) X(EnumeratePhysicalDevices) X(EnumerateDeviceExtensionProperties) X(CreateDevice) \
  X(GetDeviceProcAddr) X(GetPhysicalDeviceProperties) X(GetPhysicalDeviceProperties2) \
  X(GetPhysicalDeviceFeatures2) X(GetPhysicalDeviceMemoryProperties2) X(GetPhysicalDeviceQueueFamilyProperties)
#define FOVEA_VK_DEVICE(X) \
  X(DestroyDevice) X(GetDeviceQueue) X(DeviceWaitIdle) X(QueueSubmit) \
  X(AllocateMemory) X(FreeMemory) X(MapMemory) X(FlushMappedMemoryRanges) X(InvalidateMappedMemoryRanges) \
  X(CreateBuffer) X(DestroyBuffer) X(GetBufferMemoryRequirements) X(BindBufferMemory) \
  X(CreateBufferView) X(DestroyBufferView) \
  X(CreateShaderModule) X(DestroyShaderModule) X(CreateDescriptorSetLayout) X(DestroyDescriptorSetLayout) \
  X(CreatePipelineLayout) X(DestroyPipelineLayout) X(CreateComputePipelines) X(DestroyPipeline) \
  X(CreatePipelineCache) X(DestroyPipelineCache) X(GetPipelineCacheData) X(MergePipelineCaches) \
  X(CreateDescriptorPool) X(DestroyDescriptorPool) X(AllocateDescriptorSets) X(UpdateDescriptorSets) \
  X(CreateCommandPool) X(DestroyCommandPool) X(AllocateCommandBuffers) \
  X(BeginCommandBuffer) X(EndCommandBuffer) X(CmdBindPipeline) X(CmdBindDescriptorSets) X(CmdPushConstants) \
  X(CmdDispatch) X(CmdDispatchBase) X(CmdDispatchIndirect) X(CmdPipelineBarrier) X(CmdCopyBuffer) X(CmdFillBuffer) \
  X(CreateQueryPool) X(DestroyQueryPool) X(CmdResetQueryPool) X(CmdWriteTimestamp) X(GetQueryPoolResults) \
  X(CreateFence) X(DestroyFence) X(ResetFences) X(GetFenceStatus) X(WaitForFences)
// clang-format on

#define FOVEA_VK_FIELD(name) PFN_vk##name name = nullptr;
struct GlobalFunctions {
  FOVEA_VK_GLOBAL(FOVEA_VK_FIELD)
};
struct InstanceFunctions {
  FOVEA_VK_INSTANCE(FOVEA_VK_FIELD)
  // Null where the extension is absent.
  PFN_vkCreateDebugUtilsMessengerEXT CreateDebugUtilsMessengerEXT = nullptr;
  PFN_vkDestroyDebugUtilsMessengerEXT DestroyDebugUtilsMessengerEXT = nullptr;
};
struct DeviceFunctions {
  FOVEA_VK_DEVICE(FOVEA_VK_FIELD)
  PFN_vkGetMemoryHostPointerPropertiesEXT GetMemoryHostPointerPropertiesEXT = nullptr; // null: no host import
};
#undef FOVEA_VK_FIELD

} // namespace fovea::vk
