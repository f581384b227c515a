// Devices within a profile: they say what it says, and each kind of use beyond it is reported.
#include "layers/support.h"

#include "layer/spirv_needs.h"

#include <cstdlib>
#include <dlfcn.h>

using namespace fovea;
using namespace fovea::test;

namespace {

/// What the layer reports while `body` runs, less "beyond PROFILE: ".
std::vector<std::string> said(const std::function<void()> &body) {
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
std::vector<uint32_t> module_with(const std::vector<uint32_t> &capabilities) {
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

} // namespace

TEST_CASE("profile: layouts beyond it are reported") {
  VkPhysicalDeviceProperties real{}; // SwiftShader ends the process where it has no more sets
  {
    const auto device = open_device();
    const vk::Context &c = *device->context();
    c.instance->fn().GetPhysicalDeviceProperties(c.physical.handle, &real);
  }
  const Armed layer;
  REQUIRE(layer->set_profile("vulkan_1_1", false));
  const Raw raw;
  const auto layout = [&](VkDescriptorType type, std::vector<uint32_t> n, uint32_t push) {
    return said([&] { raw.layout(type, n, push); });
  };
  constexpr auto kStorage = VK_DESCRIPTOR_TYPE_STORAGE_BUFFER, kUniform = VK_DESCRIPTOR_TYPE_UNIFORM_BUFFER,
                 kTexels = VK_DESCRIPTOR_TYPE_UNIFORM_TEXEL_BUFFER;
  CHECK(layout(kStorage, {4}, 128) == Said{});
  CHECK(layout(kStorage, {5}, 0) ==
        Said{"vkCreatePipelineLayout: storage buffers of a stage: 5; the limit is 4"});
  CHECK(layout(kStorage, {2, 4}, 0) ==
        Said{"vkCreatePipelineLayout: storage buffers of a stage: 6; the limit is 4"});
  if (real.limits.maxBoundDescriptorSets > 4)
    CHECK(layout(kStorage, {1, 1, 1, 1, 0}, 0) ==
          Said{"vkCreatePipelineLayout: descriptor sets: 5; the limit is 4"});
  CHECK(layout(kUniform, {13}, 0) ==
        Said{"vkCreatePipelineLayout: uniform buffers of a stage: 13; the limit is 12"});
  CHECK(layout(kTexels, {17}, 0) ==
        Said{"vkCreatePipelineLayout: uniform texel buffers of a stage: 17; the limit is 16"});
  CHECK(layout(kStorage, {1}, 132) ==
        Said{"vkCreatePipelineLayout: bytes of push constants: 132; the limit is 128"});
  CHECK(layout(kStorage, {1}, 132) == Said{}); // told once
  CHECK(layer->n_limit_checks() > 20);
}

TEST_CASE("profile: kernels beyond it are reported, by their SPIR-V") {
  const Armed layer;
  REQUIRE(layer->set_profile("vulkan_1_1", false));
  const Raw raw;
  const auto capability = [&](uint32_t c) { return said([&] { raw.modules({c}); }); };
  const std::string name = "vkCreateShaderModule: SPIR-V capability ";
  CHECK(capability(1) == Said{});  // Shader
  CHECK(capability(61) == Said{}); // GroupNonUniform
  CHECK(capability(9) == Said{name + "9 without shaderFloat16"});
  CHECK(capability(11) == Said{name + "11 without shaderInt64"});
  CHECK(capability(39) == Said{name + "39 without shaderInt8"});
  CHECK(capability(4433) == Said{name + "4433 without storageBuffer16BitAccess"});
  CHECK(capability(4448) == Said{name + "4448 without storageBuffer8BitAccess"});
  CHECK(capability(6019) == Said{name + "6019 without shaderIntegerDotProduct"});
  for (const uint32_t c : {62u, 63u, 64u, 65u, 68u})
    CHECK(capability(c) == Said{concat(name, c, ", a subgroup operation")});
  CHECK(capability(5345) == Said{name + "5345"}); // VulkanMemoryModel

  const auto pipeline = [&](uint32_t width, uint32_t words, uint32_t lanes = 0) {
    return said([&] { raw.pipeline(width, words, lanes); });
  };
  const std::string kernel = "vkCreateComputePipelines: ";
  CHECK(pipeline(128, 4094) == Said{}); // two more words are shared: 16 KiB
  CHECK(pipeline(128, 4095) == Said{kernel + "bytes of shared memory: 16388; the limit is 16384"});
  CHECK(pipeline(192, 6) == Said{kernel + "workgroup's size along x: 192; the limit is 128",
                                 kernel + "invocations of a workgroup: 192; the limit is 128"});
  CHECK(pipeline(64, 6, raw.c.caps.subgroup_size) == Said{kernel + "subgroups of a size"});
}

TEST_CASE("profile: without subgroups not even the basic ones are there") {
  const Armed layer;
  REQUIRE(layer->set_profile("android_2021", false));
  const Raw raw;
  CHECK(raw.c.caps.subgroup_size == 0);
  CHECK(said([&] { raw.modules({61}); }) ==
        Said{"vkCreateShaderModule: SPIR-V capability 61, a subgroup operation"});
}

TEST_CASE("profile: commands beyond it are reported") {
  const Armed layer;
  REQUIRE(layer->set_profile("vulkan_1_1", false));
  const Raw raw;
  const auto groups = [&](uint32_t x, uint32_t y, uint32_t z) {
    return said([&] { raw.dispatch(x, y, z); });
  };
  CHECK(groups(65535, 65535, 65535) == Said{});
  CHECK(groups(65536, 1, 1) == Said{"vkCmdDispatch: groups along x: 65536; the limit is 65535"});
  CHECK(groups(1, 65537, 1) == Said{"vkCmdDispatch: groups along y: 65537; the limit is 65535"});
  CHECK(groups(1, 1, 65538) == Said{"vkCmdDispatch: groups along z: 65538; the limit is 65535"});
  const auto part = [&](uint32_t base) {
    return said([&] {
      raw.record([&](VkCommandBuffer commands) { raw.c.fn.CmdDispatchBase(commands, base, 0, 0, 35, 1, 1); });
    });
  };
  CHECK(part(65500) == Said{});
  CHECK(part(65501) == Said{"vkCmdDispatchBase: groups along x: 65536; the limit is 65535"});
  const Said timed = said([&] {
    auto info = vk::structure<VkQueryPoolCreateInfo>(VK_STRUCTURE_TYPE_QUERY_POOL_CREATE_INFO);
    info.queryType = VK_QUERY_TYPE_TIMESTAMP;
    info.queryCount = 1;
    VkQueryPool pool = VK_NULL_HANDLE;
    REQUIRE(raw.c.fn.CreateQueryPool(raw.c.device, &info, nullptr, &pool) == VK_SUCCESS);
    raw.record([&](VkCommandBuffer commands) {
      raw.c.fn.CmdWriteTimestamp(commands, VK_PIPELINE_STAGE_BOTTOM_OF_PIPE_BIT, pool, 0);
    });
    raw.c.fn.DestroyQueryPool(raw.c.device, pool, nullptr);
  });
  CHECK(timed == Said{"vkCmdWriteTimestamp"});
  const std::array<std::byte, 132> bytes{};
  const auto push = [&](uint32_t offset, uint32_t size) {
    return said([&] {
      raw.layout(VK_DESCRIPTOR_TYPE_STORAGE_BUFFER, {1}, 128, [&](VkPipelineLayout layout) {
        raw.record([&](VkCommandBuffer commands) {
          raw.c.fn.CmdPushConstants(commands, layout, VK_SHADER_STAGE_COMPUTE_BIT, offset, size,
                                    bytes.data());
        });
      });
    });
  };
  CHECK(push(0, 128) == Said{});
  CHECK(push(4, 128) == Said{"vkCmdPushConstants: bytes: 132; the limit is 128"});
}

TEST_CASE("profile: bindings beyond it are reported") {
  const Armed layer;
  REQUIRE(layer->set_profile("vulkan_1_1", false));
  const Raw raw;
  const vk::Buffer buffer = raw.device->allocate(vk::MemoryKind::Device, 130 << 20, "test");
  constexpr auto kStorage = VK_DESCRIPTOR_TYPE_STORAGE_BUFFER, kUniform = VK_DESCRIPTOR_TYPE_UNIFORM_BUFFER;
  const auto bind = [&](VkDescriptorType type, uint64_t offset, uint64_t range) {
    return said([&] { raw.bind(type, buffer, offset, range); });
  };
  const std::string storage = "vkUpdateDescriptorSets: storage buffer's ",
                    uniform = "vkUpdateDescriptorSets: uniform buffer's ", texels = "vkCreateBufferView: ";
  CHECK(bind(kStorage, 256, 128 << 20) == Said{});
  CHECK(bind(kStorage, 256, (128 << 20) + 4) == Said{storage + "bytes: 134217732; the limit is 134217728"});
  CHECK(bind(kStorage, 1 << 20, VK_WHOLE_SIZE) == Said{storage + "bytes: 135266304; the limit is 134217728"});
  CHECK(bind(kStorage, 64, 4) == Said{storage + "offset: 64 is not a multiple of 256"});
  CHECK(bind(kUniform, 256, 16384) == Said{});
  CHECK(bind(kUniform, 256, 16388) == Said{uniform + "bytes: 16388; the limit is 16384"});
  CHECK(bind(kUniform, 64, 4) == Said{uniform + "offset: 64 is not a multiple of 256"});
  const auto view = [&](VkFormat format, uint64_t offset, uint64_t range) {
    return said([&] { raw.view(format, buffer, offset, range); });
  };
  CHECK(view(VK_FORMAT_R32G32B32A32_SFLOAT, 256, 16 * 65536) == Said{});
  CHECK(view(VK_FORMAT_R32G32B32A32_SFLOAT, 256, 16 * 65537) ==
        Said{texels + "texels: 65537; the limit is 65536"});
  CHECK(view(VK_FORMAT_R16_SFLOAT, 256, 2 * 65538) == Said{texels + "texels: 65538; the limit is 65536"});
  CHECK(view(VK_FORMAT_R32G32B32A32_SFLOAT, 64, 16) == Said{texels + "offset: 64 is not a multiple of 256"});
  CHECK(view(VK_FORMAT_R32G32B32_SFLOAT, 256, 12) == Said{texels + "format 106"});
}

TEST_CASE("profile: memory beyond it is reported") {
  const Armed layer;
  REQUIRE(layer->set_profile("vulkan_1_1", false));
  const Raw raw;
  const VkPhysicalDeviceMemoryProperties &m = raw.c.physical.memory;
  uint32_t local = UINT32_MAX, visible = UINT32_MAX;
  for (uint32_t i = 0; i < m.memoryTypeCount; ++i) {
    const bool is_visible = m.memoryTypes[i].propertyFlags & VK_MEMORY_PROPERTY_HOST_VISIBLE_BIT;
    const bool is_local = m.memoryTypes[i].propertyFlags & VK_MEMORY_PROPERTY_DEVICE_LOCAL_BIT;
    CHECK(is_visible != is_local); // unified_memory = no
    (is_visible ? visible : local) = i;
  }
  REQUIRE(local != UINT32_MAX);
  REQUIRE(visible != UINT32_MAX);
  const auto map = [&](uint32_t type, const std::function<void(VkMappedMemoryRange &)> &use = {}) {
    return said([&] {
      raw.memory(type, 4096, [&](VkDeviceMemory memory) {
        void *data = nullptr;
        REQUIRE(raw.c.fn.MapMemory(raw.c.device, memory, 0, VK_WHOLE_SIZE, 0, &data) == VK_SUCCESS);
        auto range = vk::structure<VkMappedMemoryRange>(VK_STRUCTURE_TYPE_MAPPED_MEMORY_RANGE);
        range.memory = memory;
        if (use) use(range);
      });
    });
  };
  CHECK(map(visible) == Said{});
  CHECK(map(local) == Said{"vkMapMemory: memory that the host does not see"});
  const auto flush = [&](uint64_t offset, uint64_t size) {
    return map(visible, [&](VkMappedMemoryRange &range) {
      range.offset = offset;
      range.size = size;
      raw.c.fn.FlushMappedMemoryRanges(raw.c.device, 1, &range);
      raw.c.fn.InvalidateMappedMemoryRanges(raw.c.device, 1, &range);
    });
  };
  CHECK(flush(256, 512) == Said{});
  CHECK(flush(0, VK_WHOLE_SIZE) == Said{});
  CHECK(flush(64, 192) == Said{"vkFlushMappedMemoryRanges: offset: 64 is not a multiple of 256",
                               "vkInvalidateMappedMemoryRanges: offset: 64 is not a multiple of 256"});
  CHECK(flush(256, 64) == Said{"vkFlushMappedMemoryRanges: end: 320 is not a multiple of 256",
                               "vkInvalidateMappedMemoryRanges: end: 320 is not a multiple of 256"});
  CHECK(said([&] { raw.memory(visible, (1ull << 30) + 4096); }) ==
        Said{"vkAllocateMemory: bytes: 1073745920; the limit is 1073741824"});
  const std::unique_ptr<void, void (*)(void *)> pages(std::aligned_alloc(65536, 65536), std::free);
  CHECK(said([&] { raw.memory(visible, 65536, {}, pages.get()); }) ==
        Said{"vkAllocateMemory: imported pages"});
  std::function<void(uint64_t)> many = [&](uint64_t n) {
    std::vector<VkDeviceMemory> all(n);
    auto info = vk::structure<VkMemoryAllocateInfo>(VK_STRUCTURE_TYPE_MEMORY_ALLOCATE_INFO);
    info.allocationSize = 256;
    info.memoryTypeIndex = visible;
    for (VkDeviceMemory &one : all) {
      one = VK_NULL_HANDLE;
      CHECK(raw.c.fn.AllocateMemory(raw.c.device, &info, nullptr, &one) == VK_SUCCESS);
    }
    for (const VkDeviceMemory one : all) raw.c.fn.FreeMemory(raw.c.device, one, nullptr);
  };
  CHECK(said([&] { many(4096); }) == Said{});
  CHECK(said([&] { many(4097); }) == Said{"vkAllocateMemory: allocations: 4097; the limit is 4096"});
}

TEST_CASE("profile: devices with features or extensions beyond it are reported") {
  const Armed layer;
  REQUIRE(layer->set_profile("vulkan_1_1", false));
  const Raw raw;
  const auto create = [&](const void *features) { return said([&] { raw.create(features); }); };
  CHECK(create(nullptr) == Said{});
  auto core = vk::structure<VkPhysicalDeviceFeatures2>(VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_FEATURES_2);
  core.features.robustBufferAccess = VK_TRUE;
  CHECK(create(&core) == Said{});
  core.features.shaderInt64 = VK_TRUE;
  CHECK(create(&core) == Said{"vkCreateDevice: number 40 of VkPhysicalDeviceFeatures"});
  auto storage = vk::structure<VkPhysicalDevice16BitStorageFeatures>(
      VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_16BIT_STORAGE_FEATURES);
  CHECK(create(&storage) == Said{});
  storage.storageBuffer16BitAccess = VK_TRUE;
  CHECK(create(&storage) == Said{"vkCreateDevice: feature storageBuffer16BitAccess"});
  auto pointers = vk::structure<VkPhysicalDeviceVariablePointersFeatures>(
      VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_VARIABLE_POINTERS_FEATURES);
  CHECK(create(&pointers) ==
        Said{concat("vkCreateDevice: structure ", uint32_t(pointers.sType), ", which profiles do not know")});
  CHECK(raw.create(nullptr, {VK_EXT_EXTERNAL_MEMORY_HOST_EXTENSION_NAME}) == VK_ERROR_EXTENSION_NOT_PRESENT);
  layer->reset();
  CHECK(Raw().create(nullptr, {VK_EXT_EXTERNAL_MEMORY_HOST_EXTENSION_NAME}) == VK_SUCCESS);
}

TEST_CASE("profile: what Fovea does not ask for is masked as well") {
  const Armed layer;
  REQUIRE(layer->set_profile("vulkan_1_1", false));
  void *loader = ::dlopen("libvulkan.so.1", RTLD_NOW | RTLD_LOCAL);
  REQUIRE(loader);
  const auto proc = reinterpret_cast<PFN_vkGetInstanceProcAddr>(::dlsym(loader, "vkGetInstanceProcAddr"));
  VkInstance instance = VK_NULL_HANDLE;
  auto application = vk::structure<VkApplicationInfo>(VK_STRUCTURE_TYPE_APPLICATION_INFO);
  application.apiVersion = VK_API_VERSION_1_1;
  auto info = vk::structure<VkInstanceCreateInfo>(VK_STRUCTURE_TYPE_INSTANCE_CREATE_INFO);
  info.pApplicationInfo = &application;
  const auto find = [&]<class F>(F &function, const char *name) {
    function = reinterpret_cast<F>(proc(instance, name));
    REQUIRE(bool(function));
  };
  PFN_vkCreateInstance create = nullptr;
  find(create, "vkCreateInstance");
  REQUIRE(create(&info, nullptr, &instance) == VK_SUCCESS);
  PFN_vkEnumeratePhysicalDevices enumerate = nullptr;
  PFN_vkGetPhysicalDeviceFeatures get_features = nullptr;
  PFN_vkGetPhysicalDeviceMemoryProperties get_memory = nullptr;
  PFN_vkGetPhysicalDeviceFormatProperties get_format = nullptr;
  PFN_vkDestroyInstance destroy = nullptr;
  find(enumerate, "vkEnumeratePhysicalDevices");
  find(get_features, "vkGetPhysicalDeviceFeatures");
  find(get_memory, "vkGetPhysicalDeviceMemoryProperties");
  find(get_format, "vkGetPhysicalDeviceFormatProperties");
  find(destroy, "vkDestroyInstance");
  uint32_t count = 1;
  VkPhysicalDevice physical = VK_NULL_HANDLE;
  const VkResult found = enumerate(instance, &count, &physical);
  REQUIRE((found == VK_SUCCESS || found == VK_INCOMPLETE));
  REQUIRE(physical);

  VkPhysicalDeviceFeatures features{};
  get_features(physical, &features);
  CHECK(!features.shaderInt64);
  CHECK(!features.shaderFloat64);
  CHECK(features.robustBufferAccess);
  VkPhysicalDeviceMemoryProperties memory{};
  get_memory(physical, &memory);
  CHECK(memory.memoryTypeCount >= 2);
  CHECK(memory.memoryHeapCount >= 2);
  const auto buffer_features = [&](VkFormat format) {
    VkFormatProperties properties{};
    get_format(physical, format, &properties);
    return properties.bufferFeatures;
  };
  CHECK(buffer_features(VK_FORMAT_R16_SFLOAT) == VK_FORMAT_FEATURE_UNIFORM_TEXEL_BUFFER_BIT);
  CHECK(buffer_features(VK_FORMAT_R32G32B32_SFLOAT) == 0);
  destroy(instance, nullptr);
  ::dlclose(loader);
}

TEST_CASE("profile: what there is not is reported, and nothing is masked") {
  const Armed layer;
  CHECK(said([&] { CHECK(!layer->set_profile("nonsense", false)); }).size() == 1);
  CHECK(open_device()->caps().max_storage_buffers > 4);
}

TEST_CASE("profile: what a kernel needs is read from its SPIR-V") {
  const std::vector<uint32_t> words = module_with({61, 63});
  const layer::SpirvNeeds usual = layer::spirv_needs(words),
                          special = layer::spirv_needs(words, {{0, 7}, {1, 100}});
  CHECK(usual.capabilities == std::set<uint32_t>{1, 61, 63});
  CHECK(usual.workgroup == std::array<uint32_t, 3>{32, 1, 1});
  CHECK(usual.shared_bytes == 32);
  CHECK(special.workgroup == std::array<uint32_t, 3>{7, 1, 1});
  CHECK(special.shared_bytes == 408);
  for (size_t n = 0; n < words.size(); ++n) // cut off anywhere
    CHECK(layer::spirv_needs(std::span(words).first(n)).capabilities.size() <= 3);
}
