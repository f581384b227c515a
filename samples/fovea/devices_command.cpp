#include "commands.h"
#include "console.h"
#include "model_arguments.h"

#include <nlohmann/json.hpp>
#include <sstream>

namespace tool {
namespace {

/// The index of the device that is used when none is named; -1 when there is none.
int default_device() {
  fovea::DeviceOptions options;
  options.cache_folder = "";
  auto device = fovea::Device::open(options);
  return device ? int(device->info().index) : -1;
}

std::vector<std::string> lines_of(const std::string &text) {
  std::vector<std::string> lines;
  std::istringstream in(text);
  for (std::string line; std::getline(in, line);) lines.push_back(line);
  return lines;
}

nlohmann::ordered_json to_json(const fovea_device_info &d, bool is_default) {
  return {{"index", d.index},
          {"name", d.name},
          {"type", d.type_name},
          {"default", is_default},
          {"usable", d.usable != 0},
          {"rejected", d.rejected},
          {"driver", d.driver_name},
          {"driver_info", d.driver_info},
          {"vulkan", format("%u.%u.%u", d.vulkan_major, d.vulkan_minor, d.vulkan_patch)},
          {"vendor_id", d.vendor_id},
          {"device_id", d.device_id},
          {"driver_version", d.driver_version},
          {"memory_bytes", d.memory_bytes},
          {"max_allocation_bytes", d.max_allocation_bytes},
          {"max_storage_buffer_bytes", d.max_storage_buffer_bytes},
          {"max_storage_buffers", d.max_storage_buffers},
          {"max_workgroup_invocations", d.max_workgroup_invocations},
          {"max_shared_memory_bytes", d.max_shared_memory_bytes},
          {"max_push_constant_bytes", d.max_push_constant_bytes},
          {"subgroup_size", d.subgroup_size},
          {"timestamps", d.has_timestamps != 0},
          {"f16_arithmetic", d.f16_arithmetic != 0},
          {"int8_arithmetic", d.int8_arithmetic != 0},
          {"integer_dot_product", d.integer_dot_product != 0},
          {"unified_memory", d.unified_memory != 0},
          {"host_pointer_import", d.host_pointer_import != 0},
          {"profile", d.profile},
          {"quirks", lines_of(d.quirks)}};
}

std::string to_text(const fovea_device_info &d, bool is_default) {
  std::string text = format("%c %u  %s\n", is_default ? '*' : ' ', d.index, d.name);
  text += format("     %s, %s %s, Vulkan %u.%u.%u\n", d.type_name, d.driver_name, d.driver_info,
                 d.vulkan_major, d.vulkan_minor, d.vulkan_patch);
  text += "     memory " + bytes_text(double(d.memory_bytes)) +
          (d.unified_memory ? " (shared with the host)" : "");
  text += ", binding " + bytes_text(double(d.max_storage_buffer_bytes)) + ", " +
          format("storage buffers %u, push constants %u, workgroup %u, shared memory %s",
                 d.max_storage_buffers, d.max_push_constant_bytes, d.max_workgroup_invocations,
                 bytes_text(d.max_shared_memory_bytes).c_str());
  text += d.subgroup_size ? format(", subgroup %u", d.subgroup_size) : std::string(", no subgroups");
  std::string features;
  for (const auto &[has, name] : {std::pair(d.f16_arithmetic, " f16"),
                                  {d.int8_arithmetic, " int8"},
                                  {d.integer_dot_product, " integer-dot-product"},
                                  {d.has_timestamps, " timestamps"},
                                  {d.host_pointer_import, " host-pointer-import"}})
    if (has) features += name;
  text += "\n     features:" + (features.empty() ? std::string(" none") : features) + "\n";
  for (const std::string &quirk : lines_of(d.quirks)) text += "     known to be bad: " + quirk + "\n";
  if (!d.usable) text += std::string("     NOT USABLE: ") + d.rejected + "\n";
  return text;
}

int list(bool as_json) {
  const auto devices = fovea::DeviceList::list().value();
  const int chosen = default_device();
  nlohmann::ordered_json all = nlohmann::ordered_json::array();
  std::string text;
  for (size_t i = 0; i < devices.size(); ++i) {
    const bool is_default = int(devices[i].index) == chosen;
    if (as_json)
      all.push_back(to_json(devices[i], is_default));
    else
      text += to_text(devices[i], is_default);
  }
  print(as_json ? all.dump(2, ' ', false, nlohmann::json::error_handler_t::replace) + "\n" : text);
  if (devices.size() == 0)
    fail(FOVEA_NO_DEVICE,
         {"the Vulkan loader knows no device; install a driver for the GPU, or mesa-vulkan-drivers for "
          "a software one"});
  return kOk;
}

int list_profiles(bool as_json) {
  nlohmann::ordered_json all = nlohmann::ordered_json::array();
  std::string text;
  for (size_t i = 0; i < fovea_profile_count(); ++i) {
    all.push_back({{"name", fovea_profile_name(i)}, {"title", fovea_profile_title(i)}});
    text += format("%-14s%s\n", fovea_profile_name(i), fovea_profile_title(i));
  }
  print(as_json ? all.dump(2) + "\n" : text);
  return kOk;
}

} // namespace

void add_devices(CLI::App &app, int &exit_code) {
  CLI::App *command = app.add_subcommand("devices", "List the Vulkan devices: what they can do, and why not");
  const auto as_json = std::make_shared<bool>(false), profiles = std::make_shared<bool>(false);
  command->add_flag("--json", *as_json, "As JSON");
  add_pretend(*command);
  command->add_flag("--profiles", *profiles, "List the devices that --pretend knows by name");
  command->footer(R"(
* marks the device that is used when none is named (--device, FOVEA_DEVICE).
Example:
  fovea devices
  fovea devices --pretend mali)");
  command->callback(
      [&exit_code, as_json, profiles] { exit_code = *profiles ? list_profiles(*as_json) : list(*as_json); });
}

} // namespace tool
