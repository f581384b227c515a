#include "base/device_profile.h"

#include "base/error.h"
#include "base/name_values.h"

#include <algorithm>
#include <optional>

namespace fovea {
namespace {

/// What a value says of a field.
enum class Kind { AtMost, AtLeast, Has, Subgroups };

/// One of the members is set: the field's, by type.
struct Field {
  std::string_view name;
  Kind kind;
  uint64_t DeviceCaps::*u64 = nullptr;
  uint32_t DeviceCaps::*u32 = nullptr;
  std::array<uint32_t, 3> DeviceCaps::*three = nullptr;
  bool DeviceCaps::*flag = nullptr;
};

constexpr Field u64(std::string_view name, Kind kind, uint64_t DeviceCaps::*member) {
  return {.name = name, .kind = kind, .u64 = member};
}
constexpr Field u32(std::string_view name, Kind kind, uint32_t DeviceCaps::*member) {
  return {.name = name, .kind = kind, .u32 = member};
}
constexpr Field three(std::string_view name, std::array<uint32_t, 3> DeviceCaps::*member) {
  return {.name = name, .kind = Kind::AtMost, .three = member};
}
constexpr Field flag(std::string_view name, bool DeviceCaps::*member) {
  return {.name = name, .kind = Kind::Has, .flag = member};
}

#define FOVEA_FIELD(make, kind, name) make(#name, Kind::kind, &DeviceCaps::name)
constexpr Field kFields[] = {
    FOVEA_FIELD(u64, AtMost, max_storage_buffer_range),
    FOVEA_FIELD(u64, AtLeast, storage_offset_alignment),
    FOVEA_FIELD(u64, AtLeast, uniform_offset_alignment),
    FOVEA_FIELD(u64, AtLeast, texel_offset_alignment),
    FOVEA_FIELD(u64, AtLeast, non_coherent_atom_size),
    FOVEA_FIELD(u64, AtMost, max_allocation_bytes),
    FOVEA_FIELD(u64, AtMost, device_memory_bytes),
    FOVEA_FIELD(u32, AtMost, max_storage_buffers),
    FOVEA_FIELD(u32, AtMost, max_push_constant_bytes),
    FOVEA_FIELD(u32, AtMost, max_workgroup_invocations),
    three("max_workgroup_size", &DeviceCaps::max_workgroup_size),
    three("max_workgroup_count", &DeviceCaps::max_workgroup_count),
    FOVEA_FIELD(u32, AtMost, max_shared_memory_bytes),
    FOVEA_FIELD(u32, AtMost, max_texel_buffer_elements),
    FOVEA_FIELD(u64, AtMost, flops_per_s),
    FOVEA_FIELD(u64, AtMost, bytes_per_s),
    FOVEA_FIELD(u32, Subgroups, subgroup_size),
    FOVEA_FIELD(u32, Subgroups, min_subgroup_size),
    FOVEA_FIELD(u32, Subgroups, max_subgroup_size),
    flag("subgroup_arithmetic", &DeviceCaps::subgroup_arithmetic),
    flag("subgroup_shuffle", &DeviceCaps::subgroup_shuffle),
    flag("subgroup_ballot", &DeviceCaps::subgroup_ballot),
    flag("subgroup_size_control", &DeviceCaps::subgroup_size_control),
    flag("dispatch_base", &DeviceCaps::dispatch_base),
    flag("shader_f16", &DeviceCaps::shader_f16),
    flag("shader_int8", &DeviceCaps::shader_int8),
    flag("storage_16bit", &DeviceCaps::storage_16bit),
    flag("integer_dot_product", &DeviceCaps::integer_dot_product),
    flag("unified_memory", &DeviceCaps::unified_memory),
    flag("host_pointer_import", &DeviceCaps::host_pointer_import),
    {.name = "timestamps", .kind = Kind::Has}, // timestamp_period_ns
};
#undef FOVEA_FIELD

const Field *find_field(std::string_view name) {
  const auto found = std::find_if(std::begin(kFields), std::end(kFields),
                                  [&](const Field &field) { return field.name == name; });
  return found == std::end(kFields) ? nullptr : found;
}

/// Digits, with K, M or G for 1024, its square, its cube.
std::optional<uint64_t> number(std::string_view text) {
  uint64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  const std::string_view unit(end, size_t(text.data() + text.size() - end));
  const int shift = unit.empty() ? 0 : unit == "K" ? 10 : unit == "M" ? 20 : unit == "G" ? 30 : -1;
  if (error != std::errc() || shift < 0 || value > UINT64_MAX >> shift) return {};
  return value << shift;
}

/// False where the line's value is none of the field's.
bool read_value(const Field &field, NameValues &line, std::array<uint64_t, 3> &numbers) {
  if (field.kind == Kind::Has) {
    numbers[0] = line.value() == "yes";
    return line.value() == "yes" || line.value() == "no";
  }
  size_t n = 0;
  for (std::string_view word = line.next_word(); !word.empty(); word = line.next_word()) {
    const auto value = number(word);
    if (!value || n == (field.three ? 3u : 1u) || (!field.u64 && *value > UINT32_MAX)) return false;
    // An alignment is a power of two; a size of 0 would leave nothing that runs.
    if (field.kind == Kind::AtLeast && (*value == 0 || (*value & (*value - 1)) != 0)) return false;
    if (field.kind == Kind::AtMost && *value == 0) return false;
    numbers[n++] = *value;
  }
  return n == (field.three ? 3u : 1u);
}

std::string_view expected(const Field &field) {
  if (field.kind == Kind::Has) return "yes or no";
  if (field.three) return "three numbers, each at least 1";
  if (field.kind == Kind::AtLeast) return "a power of two";
  return field.kind == Kind::AtMost ? "a number from 1, such as 16384, 128M or 1G" : "a number";
}

template <class T> void clamp_number(T &value, uint64_t to, Kind kind) {
  value = T(kind == Kind::AtLeast ? std::max<uint64_t>(value, to) : std::min<uint64_t>(value, to));
}

void no_subgroups(DeviceCaps &caps) {
  caps.subgroup_size = caps.min_subgroup_size = caps.max_subgroup_size = 0;
  caps.subgroup_arithmetic = caps.subgroup_shuffle = caps.subgroup_ballot = false;
  caps.subgroup_size_control = false;
}

void switch_off(DeviceCaps &caps, const Field &field) {
  if (field.flag)
    caps.*field.flag = false;
  else
    caps.timestamp_period_ns = 0;
}

void clamp_subgroups(DeviceCaps &caps, const DeviceProfile &profile) {
  const DeviceProfile::Value *size = profile.find("subgroup_size"),
                             *least = profile.find("min_subgroup_size"),
                             *most = profile.find("max_subgroup_size");
  if (size && size->numbers[0] == 0) no_subgroups(caps);
  if (caps.subgroup_size == 0 || !least || !most || least->numbers[0] >= most->numbers[0]) return;
  // A width that varies there is not one to count on here.
  if (caps.min_subgroup_size == caps.max_subgroup_size)
    caps.min_subgroup_size = std::max(1u, caps.subgroup_size / 2);
  if (caps.min_subgroup_size == caps.max_subgroup_size) no_subgroups(caps);
}

std::string known_names() {
  std::string names;
  for (const BuiltinProfile &profile : builtin_profiles())
    names.append(names.empty() ? "" : ", ").append(profile.name);
  return names;
}

} // namespace

const DeviceProfile::Value *DeviceProfile::find(std::string_view field) const {
  const auto found =
      std::find_if(values.begin(), values.end(), [&](const Value &value) { return value.field == field; });
  return found == values.end() ? nullptr : &*found;
}

/// FNV-1a.
uint64_t DeviceProfile::hash() const {
  uint64_t hash = 0xCBF29CE484222325ull;
  const auto add = [&](uint64_t value) { hash = (hash ^ value) * 0x100000001B3ull; };
  for (const Value &value : values) {
    for (const char c : value.field) add(uint8_t(c));
    for (const uint64_t n : value.numbers) add(n);
  }
  return hash;
}

DeviceProfile parse_profile(std::string_view text, const std::string &name) {
  DeviceProfile profile{name, {}};
  for (NameValues line(text, name); line.next();) {
    const Field *field = find_field(line.name());
    if (!field) line.wrong({"no limit or feature is called '", line.name(), "'"});
    if (profile.find(line.name())) line.wrong({line.name(), " is there twice"});
    const std::string_view value = line.value();
    DeviceProfile::Value read{field->name, {}};
    if (!read_value(*field, line, read.numbers))
      line.wrong({field->name, " is '", value, "', expected ", expected(*field)});
    profile.values.push_back(read);
  }
  return profile;
}

DeviceProfile load_profile(const std::string &name_or_path) {
  for (const BuiltinProfile &profile : builtin_profiles())
    if (name_or_path == profile.name) return parse_profile(profile.text, name_or_path);
  if (name_or_path.find_first_of("/.") == std::string::npos)
    fail(ErrorCode::NotFound, "no device to pretend is called '", name_or_path, "'; there are ",
         known_names(), ", and files (./FILE)");
  return parse_profile(read_small_file(name_or_path), name_or_path);
}

void clamp(DeviceCaps &caps, const DeviceProfile &profile) {
  for (const DeviceProfile::Value &value : profile.values) {
    const Field &field = *find_field(value.field);
    if (field.kind == Kind::Subgroups) continue;
    if (field.kind == Kind::Has) {
      if (value.numbers[0] == 0) switch_off(caps, field);
    } else if (field.three) {
      for (size_t i = 0; i < 3; ++i) clamp_number((caps.*field.three)[i], value.numbers[i], field.kind);
    } else if (field.u64) {
      clamp_number(caps.*field.u64, value.numbers[0], field.kind);
    } else {
      clamp_number(caps.*field.u32, value.numbers[0], field.kind);
    }
  }
  clamp_subgroups(caps, profile);
  caps.profile = std::make_shared<DeviceProfile>(profile);
  caps.name += " as " + profile.name;
}

bool switch_off(DeviceCaps &caps, std::string_view feature) {
  if (feature == "subgroups") {
    no_subgroups(caps);
    return true;
  }
  const Field *field = find_field(feature);
  if (!field || field->kind != Kind::Has) return false;
  switch_off(caps, *field);
  return true;
}

} // namespace fovea
