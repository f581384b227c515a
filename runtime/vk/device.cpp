#include "vk/device.h"

#include "base/log.h"
#include "vk/adjust.h"
#include "vk/tuning_file.h"

#include <algorithm>
#include <charconv>
#include <cstdlib>

namespace fovea::vk {
namespace {

/// Index of the device that the options name, else FOVEA_DEVICE, else the best.
uint32_t choose_device(std::span<const DeviceInfo> devices, const DeviceOptions &options) {
  if (!options.selector.empty()) return select_device(devices, options.selector);
  const char *value = std::getenv("FOVEA_DEVICE");
  if (!value || !*value) return select_device(devices, "");
  try {
    return select_device(devices, value);
  } catch (const Error &e) {
    fail(e.code(), "FOVEA_DEVICE: ", e.what());
  }
}

/// FOVEA_DEVICE_MEMORY: bytes, or with K, M or G units of 1024, its square, its cube; 0 when unset.
uint64_t memory_from_environment() {
  const char *value = std::getenv("FOVEA_DEVICE_MEMORY");
  if (!value || !*value) return 0;
  const std::string_view text = value;
  uint64_t bytes = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), bytes);
  const std::string_view unit(end, size_t(text.data() + text.size() - end));
  const int shift = unit.empty() ? 0 : unit == "K" ? 10 : unit == "M" ? 20 : unit == "G" ? 30 : -1;
  if (error != std::errc() || shift < 0 || bytes == 0 || bytes > UINT64_MAX >> shift)
    fail(ErrorCode::InvalidArgument, "FOVEA_DEVICE_MEMORY is '", text,
         "', expected a size such as 512M or 2G");
  return bytes << shift;
}

void limit_memory(DeviceCaps &caps, uint64_t bytes) {
  if (bytes > 0) caps.device_memory_bytes = std::min(caps.device_memory_bytes, bytes);
}

} // namespace

std::vector<DeviceInfo> list_devices(const std::optional<std::string> &pretend) {
  const Adjustments adjustments = Adjustments::of(pretend);
  const Instance instance(Validation::Off);
  std::vector<DeviceInfo> out;
  for (const PhysicalDevice &device : query_devices(instance)) {
    out.push_back(device.info);
    adjustments.apply(out.back());
  }
  return out;
}

std::shared_ptr<Device> Device::open(const DeviceOptions &options) {
  const Adjustments adjustments = Adjustments::of(options.pretend);
  auto instance =
      std::make_unique<Instance>(options.validation ? *options.validation : validation_from_environment());
  std::vector<PhysicalDevice> devices = query_devices(*instance);
  std::vector<DeviceInfo> infos;
  for (const PhysicalDevice &device : devices) {
    infos.push_back(device.info);
    adjustments.apply(infos.back());
  }
  const uint32_t index = choose_device(infos, options);
  DeviceInfo &info = infos[index];
  if (options.adjust_caps) forge(info, DeviceCaps(info.caps), options.adjust_caps);
  const bool safe = options.safe ? *options.safe : safe_from_environment();
  if (safe) keep_to_base(info.caps);
  limit_memory(info.caps, options.memory_bytes ? options.memory_bytes : memory_from_environment());
  auto context =
      std::make_shared<Context>(std::move(instance), std::move(devices[index]), info.caps, options.features);
  log(LogLevel::Info, "device ", context->physical.info.index, ": ", context->name(), " (",
      context->caps.type, ", ", context->caps.driver_name, " ", context->caps.driver_info, ")");
  for (std::string_view rest = context->caps.quirks; !rest.empty();) {
    const std::string_view line = rest.substr(0, rest.find('\n'));
    log(LogLevel::Info, context->name(), ": ", line);
    rest.remove_prefix(std::min(line.size() + 1, rest.size()));
  }
  const std::string folder = options.cache_folder ? *options.cache_folder : vk::cache_folder();
  if (!safe && (options.tuning ? *options.tuning : tuning_from_environment()))
    context->caps.tuning = load_tuning(folder, context->caps);
  return std::shared_ptr<Device>(new Device(std::move(context), folder));
}

Device::Device(std::shared_ptr<Context> context, const std::string &cache_folder)
    : context_(std::move(context)), cache_folder_(cache_folder), pipeline_cache_(context_, cache_folder),
      kernels_(context_, pipeline_cache_) {}

Device::~Device() = default;

} // namespace fovea::vk
