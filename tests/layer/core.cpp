// Instances, devices and the chain to the next layer or the driver.
#include "layer/core.h"

#include "layer/profile.h"
#include "layer/reports.h"

#include <cstdlib>
#include <cstring>
#include <map>
#include <shared_mutex>
#include <vulkan/vk_layer.h>

namespace fovea::layer {
namespace {

constexpr const char *kName = "VK_LAYER_FOVEA_test";

std::shared_mutex &owners_mutex() {
  static auto &mutex = *new std::shared_mutex;
  return mutex;
}
// By the loader's dispatch pointer, which an object shares with what it was made from.
std::map<void *, std::unique_ptr<Instance>> &instances() {
  static auto &all =
      *new std::map<void *, std::unique_ptr<Instance>>; // outlives the application's own statics
  return all;
}
std::map<void *, std::unique_ptr<Device>> &devices() {
  static auto &all = *new std::map<void *, std::unique_ptr<Device>>;
  return all;
}

template <class Handle> void *key_of(Handle handle) { return *reinterpret_cast<void **>(handle); }

template <class Owners> auto &owner_of(Owners &owners, void *key) {
  const std::shared_lock lock(owners_mutex());
  return *owners.at(key);
}

/// The link that the loader left for this layer in the chain of create structures.
template <class Link> Link *find_link(const void *next, VkStructureType type) {
  for (auto *at = static_cast<VkBaseOutStructure *>(const_cast<void *>(next)); at; at = at->pNext) {
    auto *link = reinterpret_cast<Link *>(at);
    if (at->sType == type && link->function == VK_LAYER_LINK_INFO) return link;
  }
  return nullptr;
}

void attach(Instance &instance, const InstanceFunctions &driver) {
  instance.table = driver;
  for (size_t duty = kDuties; duty-- > 0;) {
    instance.below[duty] = instance.table;
    if (duty == kCalls) attach_calls(instance.table);
    if (duty == kObjects) attach_objects(instance.table);
    if (duty == kProfile) attach_profile(instance.table);
    if (duty == kMemory) attach_memory(instance.table);
  }
}

void attach(Device &device, const DeviceFunctions &driver) {
  device.table = driver;
  for (size_t duty = kDuties; duty-- > 0;) {
    device.below[duty] = device.table;
    switch (duty) {
    case kCalls: attach_calls(device.table); break;
    case kObjects: attach_objects(device.table); break;
    case kProfile: attach_profile(device); break;
    case kHazards: attach_hazards(device.table); break;
    case kBindings: attach_bindings(device.table); break;
    case kFences: attach_fences(device.table); break;
    case kMemory: attach_memory(device.table); break;
    case kCacheData: attach_cache_data(device.table); break;
    case kModules: attach_modules(device.table); break;
    case kWork: attach_work(device.table); break;
    default: break;
    }
  }
}

/// Beneath all duties: what the table's CreateDevice comes to.
VkResult create_device(VkPhysicalDevice physical, const VkDeviceCreateInfo *info,
                       const VkAllocationCallbacks *allocator, VkDevice *out) {
  auto *link = find_link<VkLayerDeviceCreateInfo>(info->pNext, VK_STRUCTURE_TYPE_LOADER_DEVICE_CREATE_INFO);
  if (!link) return VK_ERROR_INITIALIZATION_FAILED;
  const PFN_vkGetInstanceProcAddr next_instance = link->u.pLayerInfo->pfnNextGetInstanceProcAddr;
  const PFN_vkGetDeviceProcAddr next = link->u.pLayerInfo->pfnNextGetDeviceProcAddr;
  link->u.pLayerInfo = link->u.pLayerInfo->pNext;
  const auto create =
      reinterpret_cast<PFN_vkCreateDevice>(next_instance(instance_of(physical).handle, "vkCreateDevice"));
  const VkResult result = create(physical, info, allocator, out);
  if (result != VK_SUCCESS) return result;

  auto device = std::make_unique<Device>();
  device->handle = *out;
  device->physical = physical;
  device->next_proc = next;
  DeviceFunctions driver;
#define FOVEA_LAYER_LOAD(name) driver.name = reinterpret_cast<PFN_vk##name>(next(*out, "vk" #name));
  FOVEA_VK_DEVICE(FOVEA_LAYER_LOAD)
  FOVEA_LAYER_LOAD(GetMemoryHostPointerPropertiesEXT)
#undef FOVEA_LAYER_LOAD
  attach(*device, driver);
  const std::unique_lock lock(owners_mutex());
  devices()[key_of(*out)] = std::move(device);
  return result;
}

VkResult create_instance(const VkInstanceCreateInfo *info, const VkAllocationCallbacks *allocator,
                         VkInstance *out) {
  if (const auto result = enter_create_instance()) return *result;
  auto *link =
      find_link<VkLayerInstanceCreateInfo>(info->pNext, VK_STRUCTURE_TYPE_LOADER_INSTANCE_CREATE_INFO);
  if (!link) return VK_ERROR_INITIALIZATION_FAILED;
  const PFN_vkGetInstanceProcAddr next = link->u.pLayerInfo->pfnNextGetInstanceProcAddr;
  link->u.pLayerInfo = link->u.pLayerInfo->pNext;
  const auto create = reinterpret_cast<PFN_vkCreateInstance>(next(VK_NULL_HANDLE, "vkCreateInstance"));
  const VkResult result = create(info, allocator, out);
  if (result != VK_SUCCESS) return result;

  auto instance = std::make_unique<Instance>();
  instance->handle = *out;
  instance->next_proc = next;
  InstanceFunctions driver;
#define FOVEA_LAYER_LOAD(name) driver.name = reinterpret_cast<PFN_vk##name>(next(*out, "vk" #name));
  FOVEA_VK_INSTANCE(FOVEA_LAYER_LOAD)
  FOVEA_LAYER_LOAD(CreateDebugUtilsMessengerEXT)
  FOVEA_LAYER_LOAD(DestroyDebugUtilsMessengerEXT)
#undef FOVEA_LAYER_LOAD
  driver.CreateDevice = create_device;
  instance->get_format = reinterpret_cast<PFN_vkGetPhysicalDeviceFormatProperties>(
      next(*out, "vkGetPhysicalDeviceFormatProperties"));
  instance->get_format2 = reinterpret_cast<PFN_vkGetPhysicalDeviceFormatProperties2>(
      next(*out, "vkGetPhysicalDeviceFormatProperties2"));
  attach(*instance, driver);
  instance_created(*out);
  const std::unique_lock lock(owners_mutex());
  instances()[key_of(*out)] = std::move(instance);
  return result;
}

void destroy_instance(VkInstance handle, const VkAllocationCallbacks *allocator) {
  if (!handle) return;
  void *const key = key_of(handle);
  instance_of(handle).table.DestroyInstance(handle, allocator);
  const std::unique_lock lock(owners_mutex());
  instances().erase(key);
}

void destroy_device(VkDevice handle, const VkAllocationCallbacks *allocator) {
  if (!handle) return;
  void *const key = key_of(handle);
  device_of(handle).table.DestroyDevice(handle, allocator);
  const std::unique_lock lock(owners_mutex());
  devices().erase(key);
}

VkResult create_messenger(VkInstance handle, const VkDebugUtilsMessengerCreateInfoEXT *info,
                          const VkAllocationCallbacks *allocator, VkDebugUtilsMessengerEXT *out) {
  const VkResult result =
      instance_of(handle).table.CreateDebugUtilsMessengerEXT(handle, info, allocator, out);
  if (result == VK_SUCCESS) add_messenger(*out, *info);
  return result;
}

void destroy_messenger(VkInstance handle, VkDebugUtilsMessengerEXT messenger,
                       const VkAllocationCallbacks *allocator) {
  remove_messenger(messenger);
  instance_of(handle).table.DestroyDebugUtilsMessengerEXT(handle, messenger, allocator);
}

VkResult list_layers(uint32_t *count, VkLayerProperties *out) {
  if (!out) {
    *count = 1;
    return VK_SUCCESS;
  }
  if (*count == 0) return VK_INCOMPLETE;
  *count = 1;
  *out = {};
  std::strcpy(out->layerName, kName);
  std::strcpy(out->description, "Fovea's tests");
  out->specVersion = VK_API_VERSION_1_3;
  out->implementationVersion = 1;
  return VK_SUCCESS;
}

VkResult list_extensions(const char *layer, uint32_t *count, VkExtensionProperties *) {
  if (!layer || std::strcmp(layer, kName) != 0) return VK_ERROR_LAYER_NOT_PRESENT;
  *count = 0;
  return VK_SUCCESS;
}

VkResult list_device_extensions(VkPhysicalDevice physical, const char *layer, uint32_t *count,
                                VkExtensionProperties *out) {
  if (layer && !std::strcmp(layer, kName)) return list_extensions(layer, count, out);
  return instance_of(physical).table.EnumerateDeviceExtensionProperties(physical, layer, count, out);
}

template <class Function> PFN_vkVoidFunction plain(Function function) {
  return reinterpret_cast<PFN_vkVoidFunction>(function);
}

PFN_vkVoidFunction get_device_proc(VkDevice handle, const char *name) {
  if (!std::strcmp(name, "vkGetDeviceProcAddr")) return plain(get_device_proc);
  if (!std::strcmp(name, "vkDestroyDevice")) return plain(destroy_device);
  const Device &device = device_of(handle);
#define FOVEA_LAYER_FIND(function)                                                                           \
  if (!std::strcmp(name, "vk" #function)) return plain(device.table.function);
  FOVEA_VK_DEVICE(FOVEA_LAYER_FIND)
  FOVEA_LAYER_FIND(GetMemoryHostPointerPropertiesEXT)
#undef FOVEA_LAYER_FIND
  return device.next_proc(handle, name);
}

PFN_vkVoidFunction get_instance_proc(VkInstance handle, const char *name) {
  const auto is = [&](const char *other) { return !std::strcmp(name, other); };
  if (is("vkGetInstanceProcAddr")) return plain(get_instance_proc);
  if (is("vkGetDeviceProcAddr")) return plain(get_device_proc);
  if (is("vkCreateInstance")) return plain(create_instance);
  if (is("vkEnumerateInstanceLayerProperties")) return plain(list_layers);
  if (is("vkEnumerateInstanceExtensionProperties")) return plain(list_extensions);
  if (!handle) return nullptr;
  if (is("vkDestroyInstance")) return plain(destroy_instance);
  if (is("vkEnumerateDeviceExtensionProperties")) return plain(list_device_extensions);
  const Instance &instance = instance_of(handle);
  if (is("vkCreateDebugUtilsMessengerEXT"))
    return instance.table.CreateDebugUtilsMessengerEXT ? plain(create_messenger) : nullptr;
  if (is("vkDestroyDebugUtilsMessengerEXT"))
    return instance.table.DestroyDebugUtilsMessengerEXT ? plain(destroy_messenger) : nullptr;
#define FOVEA_LAYER_FIND(function)                                                                           \
  if (is("vk" #function)) return plain(instance.table.function);
  FOVEA_VK_INSTANCE(FOVEA_LAYER_FIND)
#undef FOVEA_LAYER_FIND
  if (const PFN_vkVoidFunction masked = profile_function(name)) return masked;
  return instance.next_proc(handle, name);
}

} // namespace

Instance &instance_of(VkInstance handle) { return owner_of(instances(), key_of(handle)); }
Instance &instance_of(VkPhysicalDevice handle) { return owner_of(instances(), key_of(handle)); }
Device &device_of(VkDevice handle) { return owner_of(devices(), key_of(handle)); }
Device &device_of(VkQueue handle) { return owner_of(devices(), key_of(handle)); }
Device &device_of(VkCommandBuffer handle) { return owner_of(devices(), key_of(handle)); }

const char *environment(const char *name) {
  const char *value = std::getenv(name);
  return value ? value : "";
}

} // namespace fovea::layer

extern "C" VK_LAYER_EXPORT VkResult vkNegotiateLoaderLayerInterfaceVersion(VkNegotiateLayerInterface *how) {
  if (how->loaderLayerInterfaceVersion < 2) return VK_ERROR_INITIALIZATION_FAILED;
  how->loaderLayerInterfaceVersion = 2;
  how->pfnGetInstanceProcAddr = fovea::layer::get_instance_proc;
  how->pfnGetDeviceProcAddr = fovea::layer::get_device_proc;
  how->pfnGetPhysicalDeviceProcAddr = nullptr;
  return VK_SUCCESS;
}
