#include "base/log.h"
#include "support/validation.h"
#include "tests/vk/support.h"

namespace fovea::vk {
using test::error_of, test::says, test::ScopedEnv;

TEST_CASE("loader: a missing one says what to install") {
  const ScopedEnv env("FOVEA_VULKAN_LIBRARY", "/nonexistent/libvulkan.so.1");
  const Error error = error_of([] { list_devices(); });
  CHECK(error.code() == ErrorCode::NoDevice);
  CHECK(says(error, "/nonexistent/libvulkan.so.1"));
  CHECK(says(error, "apt install libvulkan1"));
  CHECK(error_of([] { test::open({.validation = Validation::Off}); }).code() == ErrorCode::NoDevice);
}

TEST_CASE("loader: a library that is not Vulkan's") {
  const ScopedEnv env("FOVEA_VULKAN_LIBRARY", "libm.so.6");
  CHECK(says(error_of([] { list_devices(); }), "vkGetInstanceProcAddr"));
}

TEST_CASE("no driver: an error that names the remedy") {
  const ScopedEnv files("VK_DRIVER_FILES", "/nonexistent.json"),
      icds("VK_ICD_FILENAMES", "/nonexistent.json");
  const Error error = error_of([] { test::open({.validation = Validation::Off}); });
  CHECK(error.code() == ErrorCode::NoDevice);
  CHECK(says(error, "apt install mesa-vulkan-drivers"));
}

TEST_CASE("validation: FOVEA_VALIDATION is read, and a bad value refused") {
  for (const auto &[text, expected] : {std::pair{"", Validation::Off},
                                       {"0", Validation::Off},
                                       {"1", Validation::On},
                                       {"gpu", Validation::Gpu}}) {
    const ScopedEnv env("FOVEA_VALIDATION", text);
    CHECK(validation_from_environment() == expected);
  }
  const ScopedEnv env("FOVEA_VALIDATION", "yes");
  CHECK(says(error_of([] { validation_from_environment(); }), "expected 0, 1 or gpu"));
}

TEST_CASE("validation: a mistake is counted") {
  if (test::validation() == Validation::Off) return;
  const auto device = test::open();
  const uint64_t before = validation_error_count();
  std::string logged;
  set_log_sink([&](LogLevel, std::string_view message) { logged += message; });
  auto info = structure<VkBufferCreateInfo>(VK_STRUCTURE_TYPE_BUFFER_CREATE_INFO); // size 0
  VkBuffer buffer = VK_NULL_HANDLE;
  const Context &c = *device->context();
  if (c.fn.CreateBuffer(c.device, &info, nullptr, &buffer) == VK_SUCCESS)
    c.fn.DestroyBuffer(c.device, buffer, nullptr);
  set_log_sink({});
  CHECK(validation_error_count() > before);
  fovea::test::provoked_validation_errors() += validation_error_count() - before;
  CHECK(logged.find("VUID-VkBufferCreateInfo-size-00912") != std::string::npos);
}

TEST_CASE("validation: a missing layer is said, and how to get it") {
  const ScopedEnv layers("VK_LAYER_PATH", "/nonexistent");
  const Error error = error_of([] { const Instance instance(Validation::On); });
  CHECK(error.code() == ErrorCode::Unsupported);
  CHECK(says(error, "apt install vulkan-validationlayers"));
}

TEST_CASE("devices: listed, and opened by index and by name") {
  const std::vector<DeviceInfo> devices = list_devices();
  REQUIRE_FALSE(devices.empty());
  for (const DeviceInfo &info : devices) {
    MESSAGE(concat(info.index, " ", info.caps.name, ", ", info.caps.type, ", subgroups of ",
                   info.caps.subgroup_size, " (", info.caps.min_subgroup_size, " to ",
                   info.caps.max_subgroup_size, "), ", info.caps.device_memory_bytes >> 20, " MiB",
                   info.usable ? "" : ": ", info.rejected));
    CHECK(info.usable == info.rejected.empty());
    if (!info.usable) continue;
    const std::string index = std::to_string(info.index);
    CHECK(test::open({.selector = index})->name() == info.caps.name);
    CHECK(test::open({.selector = info.caps.name})->name() == info.caps.name);
    const ScopedEnv env("FOVEA_DEVICE", index.c_str());
    CHECK(test::open()->name() == info.caps.name);
  }
  CHECK(error_of([] { test::open({.selector = "no such device"}); }).code() == ErrorCode::NoDevice);
  const ScopedEnv env("FOVEA_DEVICE", "no such device");
  CHECK(says(error_of([] { test::open(); }), devices[0].caps.name));
  CHECK(says(error_of([] { test::open(); }), "FOVEA_DEVICE: no Vulkan device"));
}

TEST_CASE("caps: what a device must tell") {
  const auto device = test::open();
  const DeviceCaps &caps = device->caps();
  CHECK(caps.max_storage_buffer_range >= 128u << 20);
  CHECK(caps.max_allocation_bytes >= 1u << 30);
  CHECK(caps.device_memory_bytes > 0);
  CHECK(caps.storage_offset_alignment <= 256);
  CHECK(caps.max_push_constant_bytes >= 128);
  CHECK(caps.min_subgroup_size <= caps.subgroup_size);
  CHECK(caps.max_subgroup_size >= caps.subgroup_size);
  CHECK_FALSE(caps.shader_f16); // not asked for
  CHECK_FALSE(caps.integer_dot_product);
}

TEST_CASE("caps: optional features are enabled when asked for and there") {
  const std::vector<DeviceInfo> devices = list_devices();
  const auto device = test::open(
      {.features = {.f16 = true, .int8 = true, .storage_16bit = true, .integer_dot_product = true}});
  const DeviceCaps &offered = devices[device->context()->physical.info.index].caps;
  CHECK(device->caps().shader_f16 == offered.shader_f16);
  CHECK(device->caps().shader_int8 == offered.shader_int8);
  CHECK(device->caps().storage_16bit == offered.storage_16bit);
  CHECK(device->caps().integer_dot_product == offered.integer_dot_product);
}

TEST_CASE("caps: adjusted ones are what the device then has") {
  const auto device = test::open({.adjust_caps = [](DeviceCaps &caps) {
    caps.name = "forged";
    caps.max_storage_buffer_range = 128u << 20;
    caps.max_workgroup_invocations = 128;
    caps.max_workgroup_size = {128, 128, 64};
    caps.max_allocation_bytes = 1u << 20;
    caps.host_pointer_import = false;
    caps.integer_dot_product = true; // no forging makes a feature appear
  }});
  CHECK(device->name() == "forged");
  CHECK_FALSE(device->caps().integer_dot_product);
  const Error large = error_of([&] { device->allocate(MemoryKind::Device, (1u << 20) + 1, "weights"); });
  CHECK(large.code() == ErrorCode::Unsupported);
  CHECK(says(large, "weights needs 1048577 bytes of device memory at once; forged gives at most 1048576"));
  const Error wide = error_of([&] { test::layer_norm(*device, 256); });
  CHECK(wide.code() == ErrorCode::Unsupported);
  CHECK(says(wide, "kernel layer_norm(256) on forged"));
  alignas(4096) static const std::byte page[4096] = {};
  CHECK_FALSE(device->import_host(page, "page").has_value());

  const Error below =
      error_of([] { test::open({.adjust_caps = [](DeviceCaps &caps) { caps.max_storage_buffers = 2; }}); });
  CHECK(below.code() == ErrorCode::NoDevice);
  CHECK(says(below, "storage buffers per stage is 2"));
}

TEST_CASE("memory: a small forged one runs out with a typed error, and is given back") {
  const auto device =
      test::open({.adjust_caps = [](DeviceCaps &caps) { caps.device_memory_bytes = 1u << 20; }});
  {
    const Buffer first = device->allocate(MemoryKind::Device, 700'000, "state");
    const Error full = error_of([&] { device->allocate(MemoryKind::Device, 700'000, "scratch"); });
    CHECK(full.code() == ErrorCode::OutOfMemory);
    CHECK(says(full, "scratch: 700000 bytes of device memory needed"));
    CHECK(says(full, "has 348576 of 1048576 left"));
  }
  CHECK(device->allocate(MemoryKind::Device, 700'000, "scratch").size_bytes() == 700'000);
}

TEST_CASE("memory: more than any heap holds is an error, not an allocation") {
  const auto device =
      test::open({.adjust_caps = [](DeviceCaps &caps) { caps.max_allocation_bytes = UINT64_MAX; }});
  const Error error =
      error_of([&] { device->allocate(MemoryKind::Device, uint64_t(1) << 46, "everything"); });
  CHECK(error.code() == ErrorCode::OutOfMemory);
  CHECK(says(error, "everything"));
}

TEST_CASE("memory: every kind, mapped or not as promised, outlives the Device") {
  auto device = test::open();
  std::vector<Buffer> buffers;
  for (MemoryKind kind :
       {MemoryKind::Device, MemoryKind::Staging, MemoryKind::Readback, MemoryKind::Shared}) {
    buffers.push_back(device->allocate(kind, 1001, "test"));
    const Buffer &buffer = buffers.back();
    CHECK((buffer.data() == nullptr) == (kind == MemoryKind::Device));
    if (!buffer.data()) continue;
    std::memset(buffer.data(), 42, 1001);
    buffer.flush(0, 1001);
    buffer.invalidate(7, 3);
    CHECK_THROWS_AS(buffer.flush(1000, 2), Error);
    CHECK_THROWS_AS(buffer.flush(UINT64_MAX, 2), Error);
  }
  CHECK_THROWS_AS(device->allocate(MemoryKind::Device, 0, "nothing"), Error);
  CHECK(device->heap_status().total_bytes > 0);
  device.reset();
  buffers[1] = std::move(buffers[2]);
  CHECK(buffers[1].data() != nullptr);
}

} // namespace fovea::vk
