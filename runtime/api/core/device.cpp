#include "api/handles.h"

#include "base/device_profile.h"
#include "check/make_gate.h"

using namespace fovea;
using namespace fovea::api;

struct fovea_device_list {
  std::vector<std::unique_ptr<DeviceDescription>> devices;
};

namespace fovea::api {

namespace {

fovea_device_type type_of(DeviceType type) {
  switch (type) {
  case DeviceType::Discrete: return FOVEA_DEVICE_DISCRETE;
  case DeviceType::Integrated: return FOVEA_DEVICE_INTEGRATED;
  case DeviceType::Virtual: return FOVEA_DEVICE_VIRTUAL;
  case DeviceType::Software: return FOVEA_DEVICE_SOFTWARE;
  case DeviceType::Other: break;
  }
  return FOVEA_DEVICE_OTHER;
}

/// Part of the interface, unlike to_string(), which is for people.
const char *name_of(fovea_device_type type) {
  switch (type) {
  case FOVEA_DEVICE_DISCRETE: return "discrete";
  case FOVEA_DEVICE_INTEGRATED: return "integrated";
  case FOVEA_DEVICE_VIRTUAL: return "virtual";
  case FOVEA_DEVICE_SOFTWARE: return "software";
  case FOVEA_DEVICE_OTHER:
  case FOVEA_DEVICE_TYPE_32_BITS: break;
  }
  return "other";
}

std::optional<vk::Validation> validation_of(fovea_validation wanted) {
  switch (wanted) {
  case FOVEA_VALIDATION_ENVIRONMENT: return std::nullopt;
  case FOVEA_VALIDATION_OFF: return vk::Validation::Off;
  case FOVEA_VALIDATION_ON: return vk::Validation::On;
  case FOVEA_VALIDATION_GPU: return vk::Validation::Gpu;
  case FOVEA_VALIDATION_32_BITS: break;
  }
  fail(ErrorCode::InvalidArgument, "device options: validation is ", int(wanted), ", expected 0 … 3");
}

const fovea_device_options kDeviceDefaults = {
    sizeof(fovea_device_options), nullptr, FOVEA_VALIDATION_ENVIRONMENT, nullptr, 0,
    FOVEA_TUNING_ENVIRONMENT,     nullptr, FOVEA_CHECK_ENVIRONMENT,      nullptr, 0};

std::optional<bool> tuning_of(fovea_tuning wanted) {
  switch (wanted) {
  case FOVEA_TUNING_ENVIRONMENT: return std::nullopt;
  case FOVEA_TUNING_OFF: return false;
  case FOVEA_TUNING_ON: return true;
  case FOVEA_TUNING_32_BITS: break;
  }
  fail(ErrorCode::InvalidArgument, "device options: tuning is ", int(wanted), ", expected 0 … 2");
}

/// Nothing: kernels are not tried.
std::optional<check::Mode> check_of(fovea_check wanted, bool has_program) {
  switch (wanted) {
  case FOVEA_CHECK_ENVIRONMENT: return check::mode_from_environment(has_program);
  case FOVEA_CHECK_SKIP: return std::nullopt;
  case FOVEA_CHECK_HERE: return check::Mode::Here;
  case FOVEA_CHECK_CHILD: return has_program ? check::Mode::Child : check::Mode::Here;
  case FOVEA_CHECK_32_BITS: break;
  }
  fail(ErrorCode::InvalidArgument, "device options: check is ", int(wanted), ", expected 0 … 3");
}

} // namespace

DeviceDescription::DeviceDescription(const vk::DeviceInfo &device)
    : name(device.caps.name), driver_name(device.caps.driver_name), driver_info(device.caps.driver_info),
      rejected(device.rejected), profile(device.caps.profile ? device.caps.profile->name : ""),
      quirks(device.caps.quirks) {
  const DeviceCaps &caps = device.caps;
  info.struct_size = sizeof info;
  info.index = device.index;
  info.name = name.c_str();
  info.driver_name = driver_name.c_str();
  info.driver_info = driver_info.c_str();
  info.type = type_of(caps.type);
  info.type_name = name_of(info.type);
  info.vendor_id = caps.vendor_id;
  info.device_id = caps.device_id;
  info.driver_version = caps.driver_version;
  info.vulkan_major = (caps.api_version >> 22) & 127; // as VK_API_VERSION_MAJOR and its kin
  info.vulkan_minor = (caps.api_version >> 12) & 1023;
  info.vulkan_patch = caps.api_version & 4095;
  info.usable = device.usable;
  info.rejected = rejected.c_str();
  info.memory_bytes = caps.device_memory_bytes;
  info.max_allocation_bytes = caps.max_allocation_bytes;
  info.max_storage_buffer_bytes = caps.max_storage_buffer_range;
  info.max_storage_buffers = caps.max_storage_buffers;
  info.max_workgroup_invocations = caps.max_workgroup_invocations;
  info.max_shared_memory_bytes = caps.max_shared_memory_bytes;
  info.max_push_constant_bytes = caps.max_push_constant_bytes;
  info.subgroup_size = caps.subgroup_size;
  info.has_timestamps = caps.timestamp_period_ns > 0;
  info.f16_arithmetic = caps.shader_f16;
  info.int8_arithmetic = caps.shader_int8;
  info.integer_dot_product = caps.integer_dot_product;
  info.unified_memory = caps.unified_memory;
  info.host_pointer_import = caps.host_pointer_import;
  info.profile = profile.c_str();
  info.quirks = quirks.c_str();
}

void write_memory(fovea_memory *to, const MemoryUse &use) {
  const size_t size = require(to, "memory")->struct_size;
  if (size < sizeof(size_t) || size > 4096)
    fail(ErrorCode::InvalidArgument, "memory: struct_size is ", size,
         "; initialise it with fovea_memory_init()");
  write_struct(to, size, memory_values(use));
}

} // namespace fovea::api

extern "C" {

fovea_status fovea_list_devices(fovea_device_list **out) {
  return create(out, [] {
    auto list = std::make_unique<fovea_device_list>();
    for (const vk::DeviceInfo &device : vk::list_devices())
      list->devices.push_back(std::make_unique<DeviceDescription>(device));
    return list;
  });
}
size_t fovea_device_list_count(const fovea_device_list *list) { return list ? list->devices.size() : 0; }
const fovea_device_info *fovea_device_list_get(const fovea_device_list *list, size_t index) {
  return list && index < list->devices.size() ? &list->devices[index]->info : nullptr;
}
void fovea_device_list_release(fovea_device_list *list) { delete list; }

void fovea_device_options_init(fovea_device_options *options, size_t struct_size) {
  write_struct(options, struct_size, kDeviceDefaults);
}

fovea_status fovea_device_open(const fovea_device_options *options, fovea_device **out) {
  return create(out, [&] {
    const fovea_device_options given = read_struct(options, kDeviceDefaults, "device options");
    vk::DeviceOptions wanted;
    if (given.selector) wanted.selector = given.selector;
    if (given.cache_folder) wanted.cache_folder = given.cache_folder;
    if (given.pretend) wanted.pretend = given.pretend;
    wanted.memory_bytes = given.memory_bytes;
    wanted.validation = validation_of(given.validation);
    wanted.tuning = tuning_of(given.tuning);
    if (given.safe) wanted.safe = true;
    auto handle = std::make_unique<fovea_device>();
    const auto mode = check_of(given.check, given.check_program != nullptr);
    handle->device = vk::Device::open(wanted);
    if (mode)
      handle->device->set_gate(check::make_gate(handle->device->context()->physical.info.caps,
                                                handle->device->cache_folder(),
                                                {*mode, given.check_program ? given.check_program : "", {}}));
    vk::DeviceInfo info = handle->device->context()->physical.info;
    info.caps = handle->device->caps();
    handle->description = std::make_unique<DeviceDescription>(info);
    return handle;
  });
}
const fovea_device_info *fovea_device_get_info(const fovea_device *device) {
  return device ? &device->description->info : nullptr;
}
void fovea_device_release(fovea_device *device) { delete device; }

size_t fovea_profile_count(void) { return builtin_profiles().size(); }
const char *fovea_profile_name(size_t index) {
  return index < builtin_profiles().size() ? builtin_profiles()[index].name : nullptr;
}
const char *fovea_profile_title(size_t index) {
  return index < builtin_profiles().size() ? builtin_profiles()[index].title : nullptr;
}

uint64_t fovea_validation_error_count(void) { return vk::validation_error_count(); }

void fovea_memory_init(fovea_memory *memory, size_t struct_size) {
  write_struct(memory, struct_size, fovea_memory{});
}

} // extern "C"
