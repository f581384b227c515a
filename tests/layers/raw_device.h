// What the tests of profiles make by hand on a device: layouts, kernels, buffers and commands beyond a limit.
#pragma once

#include "layers/support.h"

#include "layer/spirv_needs.h"

#include <cstdlib>
#include <dlfcn.h>

namespace fovea::test {

/// What the layer reports while `body` runs, less "beyond PROFILE: ".
inline std::vector<std::string> said(const std::function<void()> &body) {
  const uint64_t before = test_layer().n_reports();
  std::vector<std::string> out;
  for (uint64_t n = provoke(body), i = 0; i < n; ++i) {
    const std::string text = test_layer().report(before + i);
    out.push_back(text.substr(text.find(": ") + 2));
  }
  return out;
}
using Said = std::vector<std::string>;

/// SPIR-V that does nothing, in a workgroup of (constant 0, 1, 1), with `4 * (constant 1 + 2)` bytes shared.
inline std::vector<uint32_t> module_with(const std::vector<uint32_t> &capabilities) {
  std::vector<uint32_t> words = {0x07230203, 0x00010300, 0, 40, 0};
  const auto add = [&](uint32_t opcode, std::vector<uint32_t> operands) {
    words.push_back(uint32_t(operands.size() + 1) << 16 | opcode);
    words.insert(words.end(), operands.begin(), operands.end());
  };
  enum : uint32_t {
    kMain = 1,
    kVoid,
    kFunction,
    kUint,
    kSize,
    kWidth,
    kWords,
    kTwo,
    kAll,
    kOne,
    kVector,
    kArray,
    kPointer,
    kShared,
    kLabel
  };
  add(17, {1}); // Shader
  for (const uint32_t c : capabilities) add(17, {c});
  add(14, {0, 1});                           // logical addressing, GLSL450
  add(15, {5, kMain, 0x6E69616D, 0});        // "main"
  add(16, {kMain, 17, 1, 1, 1});             // LocalSize, which WorkgroupSize replaces
  add(71, {kWidth, 1, 0});                   // SpecId 0
  add(71, {kWords, 1, 1});                   // SpecId 1
  add(71, {kSize, 11, 25});                  // BuiltIn WorkgroupSize
  add(19, {kVoid});                          //
  add(33, {kFunction, kVoid});               //
  add(21, {kUint, 32, 0});                   //
  add(23, {kVector, kUint, 3});              //
  add(43, {kUint, kOne, 1});                 //
  add(43, {kUint, kTwo, 2});                 //
  add(50, {kUint, kWidth, 32});              // by default
  add(50, {kUint, kWords, 6});               //
  add(52, {kUint, kAll, 128, kWords, kTwo}); // +
  add(51, {kVector, kSize, kWidth, kOne, kOne});
  add(28, {kArray, kUint, kAll});
  add(32, {kPointer, 4, kArray}); // Workgroup
  add(59, {kPointer, kShared, 4});
  add(54, {kVoid, kMain, 0, kFunction});
  add(248, {kLabel});
  add(253, {});
  add(56, {});
  return words;
}

/// A device under a profile, and what is made on it by hand.
struct Raw {
  std::shared_ptr<vk::Device> device = open_device();
  const vk::Context &c = *device->context();

  VkDescriptorSetLayout set_layout(VkDescriptorType type, uint32_t n) const {
    std::vector<VkDescriptorSetLayoutBinding> bindings;
    for (uint32_t i = 0; i < n; ++i) bindings.push_back({i, type, 1, VK_SHADER_STAGE_COMPUTE_BIT, nullptr});
    auto info =
        vk::structure<VkDescriptorSetLayoutCreateInfo>(VK_STRUCTURE_TYPE_DESCRIPTOR_SET_LAYOUT_CREATE_INFO);
    info.bindingCount = n;
    info.pBindings = bindings.data();
    VkDescriptorSetLayout out = VK_NULL_HANDLE;
    REQUIRE(c.fn.CreateDescriptorSetLayout(c.device, &info, nullptr, &out) == VK_SUCCESS);
    return out;
  }

  /// A pipeline layout of sets of `n` descriptors of a type each, with push constants.
  void layout(VkDescriptorType type, const std::vector<uint32_t> &n, uint32_t push_bytes,
              const std::function<void(VkPipelineLayout)> &use = {}) const {
    std::vector<VkDescriptorSetLayout> sets;
    for (const uint32_t count : n) sets.push_back(set_layout(type, count));
    const VkPushConstantRange push{VK_SHADER_STAGE_COMPUTE_BIT, 0, push_bytes};
    auto info = vk::structure<VkPipelineLayoutCreateInfo>(VK_STRUCTURE_TYPE_PIPELINE_LAYOUT_CREATE_INFO);
    info.setLayoutCount = uint32_t(sets.size());
    info.pSetLayouts = sets.data();
    info.pushConstantRangeCount = push_bytes != 0;
    info.pPushConstantRanges = &push;
    VkPipelineLayout out = VK_NULL_HANDLE;
    REQUIRE(c.fn.CreatePipelineLayout(c.device, &info, nullptr, &out) == VK_SUCCESS);
    if (use) use(out);
    c.fn.DestroyPipelineLayout(c.device, out, nullptr);
    for (const VkDescriptorSetLayout set : sets) c.fn.DestroyDescriptorSetLayout(c.device, set, nullptr);
  }

  VkShaderModule module(const std::vector<uint32_t> &words) const {
    auto info = vk::structure<VkShaderModuleCreateInfo>(VK_STRUCTURE_TYPE_SHADER_MODULE_CREATE_INFO);
    info.codeSize = words.size() * 4;
    info.pCode = words.data();
    VkShaderModule out = VK_NULL_HANDLE;
    REQUIRE(c.fn.CreateShaderModule(c.device, &info, nullptr, &out) == VK_SUCCESS);
    return out;
  }

  void modules(const std::vector<uint32_t> &capabilities) const {
    c.fn.DestroyShaderModule(c.device, module(module_with(capabilities)), nullptr);
  }

  /// A pipeline of module_with(), with these constants.
  void pipeline(uint32_t width, uint32_t n_words, uint32_t lanes = 0) const {
    layout(VK_DESCRIPTOR_TYPE_STORAGE_BUFFER, {1}, 0, [&](VkPipelineLayout layout) {
      const std::array<uint32_t, 2> values = {width, n_words};
      const std::array<VkSpecializationMapEntry, 2> entries = {{{0, 0, 4}, {1, 4, 4}}};
      const VkSpecializationInfo constants{2, entries.data(), sizeof values, values.data()};
      auto subgroups = vk::structure<VkPipelineShaderStageRequiredSubgroupSizeCreateInfo>(
          VK_STRUCTURE_TYPE_PIPELINE_SHADER_STAGE_REQUIRED_SUBGROUP_SIZE_CREATE_INFO);
      subgroups.requiredSubgroupSize = lanes;
      auto info = vk::structure<VkComputePipelineCreateInfo>(VK_STRUCTURE_TYPE_COMPUTE_PIPELINE_CREATE_INFO);
      info.stage.sType = VK_STRUCTURE_TYPE_PIPELINE_SHADER_STAGE_CREATE_INFO;
      info.stage.pNext = lanes ? &subgroups : nullptr;
      info.stage.stage = VK_SHADER_STAGE_COMPUTE_BIT;
      info.stage.module = module(module_with({}));
      info.stage.pName = "main";
      info.stage.pSpecializationInfo = &constants;
      info.layout = layout;
      VkPipeline out = VK_NULL_HANDLE;
      CHECK(c.fn.CreateComputePipelines(c.device, VK_NULL_HANDLE, 1, &info, nullptr, &out) == VK_SUCCESS);
      c.fn.DestroyPipeline(c.device, out, nullptr);
      c.fn.DestroyShaderModule(c.device, info.stage.module, nullptr);
    });
  }

  /// Commands that are recorded and never submitted.
  void record(const std::function<void(VkCommandBuffer)> &body) const {
    auto pool_info = vk::structure<VkCommandPoolCreateInfo>(VK_STRUCTURE_TYPE_COMMAND_POOL_CREATE_INFO);
    pool_info.queueFamilyIndex = c.physical.queue_family;
    VkCommandPool pool = VK_NULL_HANDLE;
    REQUIRE(c.fn.CreateCommandPool(c.device, &pool_info, nullptr, &pool) == VK_SUCCESS);
    auto info = vk::structure<VkCommandBufferAllocateInfo>(VK_STRUCTURE_TYPE_COMMAND_BUFFER_ALLOCATE_INFO);
    info.commandPool = pool;
    info.commandBufferCount = 1;
    VkCommandBuffer commands = VK_NULL_HANDLE;
    REQUIRE(c.fn.AllocateCommandBuffers(c.device, &info, &commands) == VK_SUCCESS);
    const auto begin = vk::structure<VkCommandBufferBeginInfo>(VK_STRUCTURE_TYPE_COMMAND_BUFFER_BEGIN_INFO);
    REQUIRE(c.fn.BeginCommandBuffer(commands, &begin) == VK_SUCCESS);
    body(commands);
    c.fn.DestroyCommandPool(c.device, pool, nullptr);
  }

  void dispatch(uint32_t x, uint32_t y, uint32_t z) const {
    record([&](VkCommandBuffer commands) { c.fn.CmdDispatch(commands, x, y, z); });
  }

  /// A range of a buffer in a descriptor of its own.
  void bind(VkDescriptorType type, const vk::Buffer &buffer, uint64_t offset, uint64_t range) const {
    const VkDescriptorSetLayout layout = set_layout(type, 1);
    const VkDescriptorPoolSize size{type, 1};
    auto pool_info = vk::structure<VkDescriptorPoolCreateInfo>(VK_STRUCTURE_TYPE_DESCRIPTOR_POOL_CREATE_INFO);
    pool_info.maxSets = pool_info.poolSizeCount = 1;
    pool_info.pPoolSizes = &size;
    VkDescriptorPool pool = VK_NULL_HANDLE;
    REQUIRE(c.fn.CreateDescriptorPool(c.device, &pool_info, nullptr, &pool) == VK_SUCCESS);
    auto info = vk::structure<VkDescriptorSetAllocateInfo>(VK_STRUCTURE_TYPE_DESCRIPTOR_SET_ALLOCATE_INFO);
    info.descriptorPool = pool;
    info.descriptorSetCount = 1;
    info.pSetLayouts = &layout;
    auto write = vk::structure<VkWriteDescriptorSet>(VK_STRUCTURE_TYPE_WRITE_DESCRIPTOR_SET);
    REQUIRE(c.fn.AllocateDescriptorSets(c.device, &info, &write.dstSet) == VK_SUCCESS);
    const VkDescriptorBufferInfo bytes{buffer.handle(), offset, range};
    write.descriptorCount = 1;
    write.descriptorType = type;
    write.pBufferInfo = &bytes;
    c.fn.UpdateDescriptorSets(c.device, 1, &write, 0, nullptr);
    c.fn.DestroyDescriptorPool(c.device, pool, nullptr);
    c.fn.DestroyDescriptorSetLayout(c.device, layout, nullptr);
  }

  void view(VkFormat format, const vk::Buffer &buffer, uint64_t offset, uint64_t range) const {
    auto info = vk::structure<VkBufferViewCreateInfo>(VK_STRUCTURE_TYPE_BUFFER_VIEW_CREATE_INFO);
    info.buffer = buffer.handle();
    info.format = format;
    info.offset = offset;
    info.range = range;
    VkBufferView out = VK_NULL_HANDLE;
    if (c.fn.CreateBufferView(c.device, &info, nullptr, &out) == VK_SUCCESS)
      c.fn.DestroyBufferView(c.device, out, nullptr);
  }

  /// Bytes of a memory type, for as long as `use` runs; imported where there are pages.
  void memory(uint32_t type, uint64_t bytes, const std::function<void(VkDeviceMemory)> &use = {},
              void *pages = nullptr) const {
    auto import = vk::structure<VkImportMemoryHostPointerInfoEXT>(
        VK_STRUCTURE_TYPE_IMPORT_MEMORY_HOST_POINTER_INFO_EXT);
    import.handleType = VK_EXTERNAL_MEMORY_HANDLE_TYPE_HOST_ALLOCATION_BIT_EXT;
    import.pHostPointer = pages;
    auto info = vk::structure<VkMemoryAllocateInfo>(VK_STRUCTURE_TYPE_MEMORY_ALLOCATE_INFO);
    info.pNext = pages ? &import : nullptr;
    info.allocationSize = bytes;
    info.memoryTypeIndex = type;
    VkDeviceMemory out = VK_NULL_HANDLE;
    if (c.fn.AllocateMemory(c.device, &info, nullptr, &out) != VK_SUCCESS) return;
    if (use) use(out);
    c.fn.FreeMemory(c.device, out, nullptr);
  }

  /// vkCreateDevice with a structure of features, and with extensions.
  VkResult create(const void *features, const std::vector<const char *> &extensions = {}) const {
    const vk::InstanceFunctions &fn = c.instance->fn();
    const float priority = 1;
    auto queue = vk::structure<VkDeviceQueueCreateInfo>(VK_STRUCTURE_TYPE_DEVICE_QUEUE_CREATE_INFO);
    queue.queueFamilyIndex = c.physical.queue_family;
    queue.queueCount = 1;
    queue.pQueuePriorities = &priority;
    auto info = vk::structure<VkDeviceCreateInfo>(VK_STRUCTURE_TYPE_DEVICE_CREATE_INFO);
    info.pNext = features;
    info.queueCreateInfoCount = 1;
    info.pQueueCreateInfos = &queue;
    info.enabledExtensionCount = uint32_t(extensions.size());
    info.ppEnabledExtensionNames = extensions.data();
    VkDevice out = VK_NULL_HANDLE;
    const VkResult result = fn.CreateDevice(c.physical.handle, &info, nullptr, &out);
    if (result == VK_SUCCESS)
      reinterpret_cast<PFN_vkDestroyDevice>(fn.GetDeviceProcAddr(out, "vkDestroyDevice"))(out, nullptr);
    return result;
  }
};

} // namespace fovea::test
