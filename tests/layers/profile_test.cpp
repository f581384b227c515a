// Devices within a profile: they say what it says, and each kind of use beyond it is reported.
#include "layers/raw_device.h"

using namespace fovea;
using namespace fovea::test;

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
