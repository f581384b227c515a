// Duty: what was created and is not destroyed. What is left when its device goes is reported, and so is what
// is destroyed without having been created.
#include "layer/objects.h"

#include "layer/core.h"

#include <map>

namespace fovea::layer {
namespace {

struct Object {
  const char *type;
  uint64_t bytes;
};

struct Objects {
  std::mutex mutex;
  std::map<std::pair<uint64_t, uint64_t>, Object> live; // by owner and handle
};

Objects &objects() {
  static Objects &all = *new Objects; // outlives the application's own statics
  return all;
}

template <class Handle> uint64_t number(Handle handle) { return reinterpret_cast<uint64_t>(handle); }

template <class Owner, class Handle>
void created(Owner owner, Handle handle, const char *type, uint64_t bytes = 0) {
  if (!handle) return;
  const std::lock_guard lock(objects().mutex);
  objects().live[{number(owner), number(handle)}] = {type, bytes};
}

template <class Owner, class Handle> void destroyed(Owner owner, Handle handle, const char *type) {
  if (!handle) return;
  const std::lock_guard lock(objects().mutex);
  if (objects().live.erase({number(owner), number(handle)}) == 0)
    report(concat("destroyed, but not alive: ", type));
}

/// What the owner leaves behind.
template <class Owner> void owner_destroyed(Owner owner, const char *type) {
  std::map<std::string_view, uint64_t> left;
  {
    const std::lock_guard lock(objects().mutex);
    for (auto it = objects().live.lower_bound({number(owner), 0});
         it != objects().live.end() && it->first.first == number(owner);) {
      ++left[it->second.type];
      it = objects().live.erase(it);
    }
  }
  for (const auto &[what, count] : left) report(concat(type, " destroyed with ", count, " ", what, " alive"));
}

uint64_t bytes_of(const VkMemoryAllocateInfo &info) { return info.allocationSize; }
template <class Info> uint64_t bytes_of(const Info &) { return 0; }

const DeviceFunctions &below(VkDevice device) { return device_of(device).below[kObjects]; }

template <auto next, class F> struct Create;
template <auto next, class Info, class Handle>
struct Create<next, VkResult (*)(VkDevice, const Info *, const VkAllocationCallbacks *, Handle *)> {
  template <const char *type>
  static VkResult call(VkDevice device, const Info *info, const VkAllocationCallbacks *allocator,
                       Handle *out) {
    const VkResult result = (below(device).*next)(device, info, allocator, out);
    if (result == VK_SUCCESS) created(device, *out, type, bytes_of(*info));
    return result;
  }
};

template <auto next, class F> struct Destroy;
template <auto next, class Handle>
struct Destroy<next, void (*)(VkDevice, Handle, const VkAllocationCallbacks *)> {
  template <const char *type>
  static void call(VkDevice device, Handle handle, const VkAllocationCallbacks *allocator) {
    destroyed(device, handle, type);
    (below(device).*next)(device, handle, allocator);
  }
};

VkResult create_pipelines(VkDevice device, VkPipelineCache cache, uint32_t count,
                          const VkComputePipelineCreateInfo *infos, const VkAllocationCallbacks *allocator,
                          VkPipeline *out) {
  const VkResult result = below(device).CreateComputePipelines(device, cache, count, infos, allocator, out);
  for (uint32_t i = 0; i < count; ++i) created(device, out[i], "VkPipeline");
  return result;
}

VkResult create_device(VkPhysicalDevice physical, const VkDeviceCreateInfo *info,
                       const VkAllocationCallbacks *allocator, VkDevice *out) {
  const Instance &instance = instance_of(physical);
  const VkResult result = instance.below[kObjects].CreateDevice(physical, info, allocator, out);
  if (result == VK_SUCCESS) created(instance.handle, *out, "VkDevice");
  return result;
}

void destroy_device(VkDevice device, const VkAllocationCallbacks *allocator) {
  owner_destroyed(device, "VkDevice");
  {
    const std::lock_guard lock(objects().mutex);
    std::erase_if(objects().live, [&](const auto &entry) { return entry.first.second == number(device); });
  }
  below(device).DestroyDevice(device, allocator);
}

void destroy_instance(VkInstance instance, const VkAllocationCallbacks *allocator) {
  owner_destroyed(instance, "VkInstance");
  destroyed(uint64_t(0), instance, "VkInstance");
  instance_of(instance).below[kObjects].DestroyInstance(instance, allocator);
}

} // namespace

void instance_created(VkInstance handle) { created(uint64_t(0), handle, "VkInstance"); }

void attach_objects(InstanceFunctions &table) {
  table.CreateDevice = create_device;
  table.DestroyInstance = destroy_instance;
}

#define FOVEA_LAYER_OBJECTS(X)                                                                               \
  X(AllocateMemory, FreeMemory, VkDeviceMemory)                                                              \
  X(CreateBuffer, DestroyBuffer, VkBuffer)                                                                   \
  X(CreateBufferView, DestroyBufferView, VkBufferView)                                                       \
  X(CreateShaderModule, DestroyShaderModule, VkShaderModule)                                                 \
  X(CreateDescriptorSetLayout, DestroyDescriptorSetLayout, VkDescriptorSetLayout)                            \
  X(CreatePipelineLayout, DestroyPipelineLayout, VkPipelineLayout)                                           \
  X(CreatePipelineCache, DestroyPipelineCache, VkPipelineCache)                                              \
  X(CreateDescriptorPool, DestroyDescriptorPool, VkDescriptorPool)                                           \
  X(CreateCommandPool, DestroyCommandPool, VkCommandPool)                                                    \
  X(CreateQueryPool, DestroyQueryPool, VkQueryPool)                                                          \
  X(CreateFence, DestroyFence, VkFence)

#define FOVEA_LAYER_NAME(create, destroy, type) static constexpr char kName_##type[] = #type;
FOVEA_LAYER_OBJECTS(FOVEA_LAYER_NAME)
static constexpr char kName_VkPipeline[] = "VkPipeline";

void attach_objects(DeviceFunctions &table) {
#define FOVEA_LAYER_TRACK(create, destroy, type)                                                             \
  table.create = Create<&DeviceFunctions::create, PFN_vk##create>::call<kName_##type>;                       \
  table.destroy = Destroy<&DeviceFunctions::destroy, PFN_vk##destroy>::call<kName_##type>;
  FOVEA_LAYER_OBJECTS(FOVEA_LAYER_TRACK)
#undef FOVEA_LAYER_TRACK
  table.CreateComputePipelines = create_pipelines;
  table.DestroyPipeline =
      Destroy<&DeviceFunctions::DestroyPipeline, PFN_vkDestroyPipeline>::call<kName_VkPipeline>;
  table.DestroyDevice = destroy_device;
}

uint64_t live_objects() {
  const std::lock_guard lock(objects().mutex);
  return objects().live.size();
}

uint64_t live_bytes() {
  const std::lock_guard lock(objects().mutex);
  uint64_t bytes = 0;
  for (const auto &[key, object] : objects().live) bytes += object.bytes;
  return bytes;
}

void forget_live() {
  const std::lock_guard lock(objects().mutex);
  objects().live.clear();
}

} // namespace fovea::layer
