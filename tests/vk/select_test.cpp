#include "tests/vk/support.h"

namespace fovea::vk {
namespace {

DeviceInfo device(uint32_t index, const char *name, DeviceType type, const char *rejected = "") {
  DeviceInfo info;
  info.index = index;
  info.caps.name = name;
  info.caps.type = type;
  info.rejected = rejected;
  info.usable = info.rejected.empty();
  return info;
}

const std::vector<DeviceInfo> kDevices = {
    device(0, "llvmpipe (LLVM 15.0.6, 256 bits)", DeviceType::Software),
    device(1, "Intel(R) UHD Graphics", DeviceType::Integrated),
    device(2, "GeForce RTX 4090", DeviceType::Discrete, "it has Vulkan 1.0, and 1.1 is needed"),
    device(3, "Radeon RX 7600", DeviceType::Discrete),
    device(4, "Radeon RX 7600", DeviceType::Discrete),
};

} // namespace

TEST_CASE("device choice: the best real GPU first, software last") {
  CHECK(select_device(kDevices, "") == 3);
  CHECK(select_device(std::span(kDevices).first(3), "") == 1);
  CHECK(select_device(std::span(kDevices).first(1), "") == 0);
}

TEST_CASE("device choice: by index and by part of the name, in any case") {
  CHECK(select_device(kDevices, "0") == 0);
  CHECK(select_device(kDevices, "4") == 4);
  CHECK(select_device(kDevices, "LLVMpipe") == 0);
  CHECK(select_device(kDevices, "uhd") == 1);
  CHECK(select_device(kDevices, "rx 7600") == 3);
}

TEST_CASE("device choice: errors name every device and why it was not taken") {
  using test::error_of, test::says;
  const Error beyond = error_of([] { select_device(kDevices, "9"); });
  CHECK(beyond.code() == ErrorCode::NoDevice);
  CHECK(says(beyond, "no Vulkan device 9"));
  CHECK(says(beyond, "1 \"Intel(R) UHD Graphics\" (integrated GPU)"));
  CHECK(says(error_of([] { select_device(kDevices, "99999999999999"); }), "no Vulkan device 99999999999999"));
  CHECK(says(error_of([] { select_device(kDevices, "-1"); }), "contains \"-1\""));
  CHECK(says(error_of([] { select_device(kDevices, "mali"); }), "contains \"mali\"; there are 5: 0 \""));
  CHECK(says(error_of([] { select_device(std::span(kDevices).first(1), "mali"); }), "; there is: 0 \""));
  CHECK(says(error_of([] { select_device({}, "0"); }), "no Vulkan device 0; the Vulkan loader finds no"));
  const Error unusable = error_of([] { select_device(kDevices, "4090"); });
  CHECK(unusable.code() == ErrorCode::NoDevice);
  CHECK(says(unusable, "it has Vulkan 1.0, and 1.1 is needed"));
  CHECK(says(error_of([] { select_device(std::span(kDevices).subspan(2, 1), ""); }), "it has Vulkan 1.0"));
  CHECK(says(error_of([] { select_device({}, ""); }), "install a driver"));
}

TEST_CASE("rejection: the floor passes, and each limit below it is named") {
  CHECK(rejection(DeviceCaps{}) == "");
  const auto with = [](auto change) {
    DeviceCaps caps;
    change(caps);
    return rejection(caps);
  };
  CHECK(with([](auto &c) { c.api_version = VK_API_VERSION_1_0; }).find("Vulkan 1.0") != std::string::npos);
  CHECK(with([](auto &c) { c.max_storage_buffers = 3; }) ==
        "storage buffers per stage is 3, and kernels need 4");
  CHECK(with([](auto &c) { c.max_workgroup_invocations = 64; }) != "");
  CHECK(with([](auto &c) { c.max_shared_memory_bytes = 8192; }) != "");
  CHECK(with([](auto &c) { c.storage_offset_alignment = 512; }) != "");
}

TEST_CASE("memory: unified where the largest device-local heap can be mapped") {
  constexpr VkMemoryPropertyFlags kLocal = VK_MEMORY_PROPERTY_DEVICE_LOCAL_BIT;
  constexpr VkMemoryPropertyFlags kHost = VK_MEMORY_PROPERTY_HOST_VISIBLE_BIT;
  VkPhysicalDeviceMemoryProperties memory{};
  memory.memoryHeapCount = 3;
  memory.memoryHeaps[0] = {8ull << 30, VK_MEMORY_HEAP_DEVICE_LOCAL_BIT};
  memory.memoryHeaps[1] = {16ull << 30, 0};
  memory.memoryHeaps[2] = {256ull << 20, VK_MEMORY_HEAP_DEVICE_LOCAL_BIT};
  memory.memoryTypeCount = 4;
  memory.memoryTypes[0] = {kLocal, 0};
  memory.memoryTypes[1] = {kHost | VK_MEMORY_PROPERTY_HOST_COHERENT_BIT, 1};
  memory.memoryTypes[2] = {kHost | VK_MEMORY_PROPERTY_HOST_COHERENT_BIT | VK_MEMORY_PROPERTY_HOST_CACHED_BIT,
                           1};
  memory.memoryTypes[3] = {kLocal | kHost, 2};
  DeviceCaps caps;
  fill_memory_caps(memory, caps); // a card with a 256 MiB window
  CHECK(caps.device_memory_bytes == 8ull << 30);
  CHECK_FALSE(caps.unified_memory);

  using Types = std::vector<uint32_t>;
  CHECK(rank_memory_types(memory, 15, MemoryKind::Device) == Types{0, 3, 1, 2});
  CHECK(rank_memory_types(memory, 15, MemoryKind::Staging) == Types{1, 2, 3});
  CHECK(rank_memory_types(memory, 15, MemoryKind::Readback) == Types{2, 1, 3});
  CHECK(rank_memory_types(memory, 15, MemoryKind::Shared) == Types{3, 1, 2});
  CHECK(rank_memory_types(memory, 9, MemoryKind::Staging) == Types{3});
  CHECK(rank_memory_types(memory, 1, MemoryKind::Staging).empty());

  memory.memoryTypes[3].heapIndex = 0; // resizable BAR
  fill_memory_caps(memory, caps);
  CHECK(caps.unified_memory);
}

TEST_CASE("non-coherent ranges are widened to whole atoms within the allocation") {
  const auto check = [](uint64_t offset, uint64_t size, uint64_t begin, uint64_t bytes) {
    const AtomRange range = round_to_atoms(offset, size, 64, 1000);
    CHECK(range.offset == begin);
    CHECK(range.size_bytes == bytes);
  };
  check(0, 1, 0, 64);
  check(63, 1, 0, 64);
  check(63, 2, 0, 128);
  check(64, 64, 64, 64);
  check(130, 60, 128, 64);
  check(0, 1000, 0, 1000); // the last atom is cut off by the allocation's end, as Vulkan allows
  check(999, 1, 960, 40);
  CHECK(round_to_atoms(5, 3, 1, 1000).size_bytes == 3);
}

} // namespace fovea::vk
