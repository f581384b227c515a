#include "vk/loader.h"

#include <cstdlib>
#include <dlfcn.h>

namespace fovea::vk {
namespace {

PFN_vkGetInstanceProcAddr open_library() {
  const char *override_path = std::getenv("FOVEA_VULKAN_LIBRARY");
  const bool overridden = override_path && *override_path;
  std::string reasons;
  for (const char *path : {overridden ? override_path : "libvulkan.so.1", overridden ? "" : "libvulkan.so"}) {
    if (!*path) continue;
    // Never closed: drivers start threads and keep thread-local data that outlive an unload.
    void *library = ::dlopen(path, RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE);
    void *entry = library ? ::dlsym(library, "vkGetInstanceProcAddr") : nullptr;
    if (entry) return reinterpret_cast<PFN_vkGetInstanceProcAddr>(entry);
    const char *why = ::dlerror();
    reasons += concat(reasons.empty() ? "" : "; ", why ? why : path);
    if (library) ::dlclose(library);
  }
  fail(ErrorCode::NoDevice, "no Vulkan loader: ", reasons,
       ". Install it (Debian and Ubuntu: apt install libvulkan1 mesa-vulkan-drivers, Fedora: dnf install "
       "vulkan-loader "
       "mesa-vulkan-drivers) or the graphics card's own driver");
}

template <class Function> void require(Function &function, PFN_vkVoidFunction address, const char *name) {
  function = reinterpret_cast<Function>(address);
  if (!function)
    fail(ErrorCode::Unsupported, "this Vulkan loader or driver has no ", name, "; Vulkan 1.1 is needed");
}

} // namespace

Loader open_loader() {
  Loader loader;
  loader.get_instance_proc = open_library();
#define FOVEA_VK_LOAD(name)                                                                                  \
  require(loader.fn.name, loader.get_instance_proc(VK_NULL_HANDLE, "vk" #name), "vk" #name);
  FOVEA_VK_GLOBAL(FOVEA_VK_LOAD)
#undef FOVEA_VK_LOAD
  return loader;
}

InstanceFunctions load_instance_functions(const Loader &loader, VkInstance instance) {
  InstanceFunctions fn;
#define FOVEA_VK_LOAD(name) require(fn.name, loader.get_instance_proc(instance, "vk" #name), "vk" #name);
  FOVEA_VK_INSTANCE(FOVEA_VK_LOAD)
#undef FOVEA_VK_LOAD
  fn.CreateDebugUtilsMessengerEXT = reinterpret_cast<PFN_vkCreateDebugUtilsMessengerEXT>(
      loader.get_instance_proc(instance, "vkCreateDebugUtilsMessengerEXT"));
  fn.DestroyDebugUtilsMessengerEXT = reinterpret_cast<PFN_vkDestroyDebugUtilsMessengerEXT>(
      loader.get_instance_proc(instance, "vkDestroyDebugUtilsMessengerEXT"));
  return fn;
}

DeviceFunctions load_device_functions(const InstanceFunctions &instance, VkDevice device) {
  DeviceFunctions fn;
#define FOVEA_VK_LOAD(name) require(fn.name, instance.GetDeviceProcAddr(device, "vk" #name), "vk" #name);
  FOVEA_VK_DEVICE(FOVEA_VK_LOAD)
#undef FOVEA_VK_LOAD
  fn.GetMemoryHostPointerPropertiesEXT = reinterpret_cast<PFN_vkGetMemoryHostPointerPropertiesEXT>(
      instance.GetDeviceProcAddr(device, "vkGetMemoryHostPointerPropertiesEXT"));
  return fn;
}

std::string to_string(VkResult result) {
  switch (result) {
#define FOVEA_VK_NAME(name)                                                                                  \
  case name: return #name;
    FOVEA_VK_NAME(VK_SUCCESS)
    FOVEA_VK_NAME(VK_NOT_READY)
    FOVEA_VK_NAME(VK_TIMEOUT)
    FOVEA_VK_NAME(VK_INCOMPLETE)
    FOVEA_VK_NAME(VK_ERROR_OUT_OF_HOST_MEMORY)
    FOVEA_VK_NAME(VK_ERROR_OUT_OF_DEVICE_MEMORY)
    FOVEA_VK_NAME(VK_ERROR_INITIALIZATION_FAILED)
    FOVEA_VK_NAME(VK_ERROR_DEVICE_LOST)
    FOVEA_VK_NAME(VK_ERROR_MEMORY_MAP_FAILED)
    FOVEA_VK_NAME(VK_ERROR_LAYER_NOT_PRESENT)
    FOVEA_VK_NAME(VK_ERROR_EXTENSION_NOT_PRESENT)
    FOVEA_VK_NAME(VK_ERROR_FEATURE_NOT_PRESENT)
    FOVEA_VK_NAME(VK_ERROR_INCOMPATIBLE_DRIVER)
    FOVEA_VK_NAME(VK_ERROR_TOO_MANY_OBJECTS)
    FOVEA_VK_NAME(VK_ERROR_OUT_OF_POOL_MEMORY)
    FOVEA_VK_NAME(VK_ERROR_INVALID_EXTERNAL_HANDLE)
    FOVEA_VK_NAME(VK_ERROR_FRAGMENTATION)
    FOVEA_VK_NAME(VK_ERROR_INVALID_SHADER_NV)
    FOVEA_VK_NAME(VK_ERROR_UNKNOWN)
#undef FOVEA_VK_NAME
  default: return concat("VkResult ", int(result));
  }
}

} // namespace fovea::vk
