#include "base/device_profile.h"

#include "base/error.h"
#include "base/mapped_file.h"

#include <algorithm>
#include <optional>

namespace fovea {
namespace {

constexpr uint64_t kMaxBytes = 64 << 10, kMaxNameBytes = 4096;

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
    FOVEA_FIELD(u32, Subgroups, subgroup_size),
    FOVEA_FIELD(u32, Subgroups, min_subgroup_size),
    FOVEA_FIELD(u32, Subgroups, max_subgroup_size),
    flag("subgroup_arithmetic", &DeviceCaps::subgroup_arithmetic),
    flag("subgroup_shuffle", &DeviceCaps::subgroup_shuffle),
    flag("subgroup_ballot", &DeviceCaps::subgroup_ballot),
    flag("subgroup_size_control", &DeviceCaps::subgroup_size_control),
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

std::string_view trimmed(std::string_view text) {
  const size_t begin = text.find_first_not_of(" \t\r");
  if (begin == std::string_view::npos) return {};
  return text.substr(begin, text.find_last_not_of(" \t\r") - begin + 1);
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

/// Nothing where the text is no value of the field.
std::optional<std::vector<uint64_t>> read_value(const Field &field, std::string_view text) {
  if (field.kind == Kind::Has) {
    if (text != "yes" && text != "no") return {};
    return std::vector<uint64_t>{text == "yes"};
  }
  std::vector<uint64_t> numbers;
  while (!text.empty()) {
    const size_t space = std::min(text.find_first_of(" \t"), text.size());
    const auto value = number(text.substr(0, space));
    if (!value || numbers.size() == 3 || (!field.u64 && *value > UINT32_MAX)) return {};
    // An alignment is a power of two; a size of 0 would leave nothing that runs.
    if (field.kind == Kind::AtLeast && (*value == 0 || (*value & (*value - 1)) != 0)) return {};
    if (field.kind == Kind::AtMost && *value == 0) return {};
    numbers.push_back(*value);
    text = trimmed(text.substr(space));
  }
  if (numbers.size() != (field.three ? 3 : 1)) return {};
  return numbers;
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
  const auto value = [&](std::string_view name) -> std::optional<uint64_t> {
    for (const DeviceProfile::Value &v : profile.values)
      if (v.field == name) return v.numbers[0];
    return {};
  };
  const auto least = value("min_subgroup_size"), most = value("max_subgroup_size");
  if (value("subgroup_size") == 0u) no_subgroups(caps);
  if (caps.subgroup_size == 0 || !least || !most || *least >= *most) return;
  // A width that varies there is not one to count on here.
  if (caps.min_subgroup_size == caps.max_subgroup_size)
    caps.min_subgroup_size = std::max(1u, caps.subgroup_size / 2);
  if (caps.min_subgroup_size == caps.max_subgroup_size) no_subgroups(caps);
}

/// FNV-1a.
uint64_t hash_of(const DeviceProfile &profile) {
  uint64_t hash = 0xCBF29CE484222325ull;
  const auto add = [&](uint64_t value) { hash = (hash ^ value) * 0x100000001B3ull; };
  for (const DeviceProfile::Value &value : profile.values) {
    for (const char c : value.field) add(uint8_t(c));
    for (const uint64_t n : value.numbers) add(n);
  }
  return hash;
}

[[noreturn]] void wrong_line(const std::string &name, size_t n_line, const std::string &what) {
  fail(ErrorCode::InvalidArgument, name, ", line ", n_line, ": ", what);
}

std::string known_names() {
  std::string names;
  for (const BuiltinProfile &profile : builtin_profiles())
    names += concat(names.empty() ? "" : ", ", profile.name);
  return names;
}

constexpr BuiltinProfile kProfiles[] = {
#include "base/profiles.inc"
};

} // namespace

std::span<const BuiltinProfile> builtin_profiles() { return kProfiles; }

DeviceProfile parse_profile(std::string_view text, const std::string &name) {
  DeviceProfile profile{name, {}};
  if (text.size() > kMaxBytes)
    fail(ErrorCode::InvalidArgument, name, ": ", text.size(), " bytes are more than a profile has (",
         kMaxBytes, ")");
  size_t n_line = 0;
  while (!text.empty()) {
    const size_t end = std::min(text.find('\n'), text.size());
    const std::string_view whole = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    ++n_line;
    const std::string_view line = trimmed(whole.substr(0, whole.find('#')));
    if (line.empty()) continue;
    const size_t equals = line.find('=');
    if (equals == std::string_view::npos)
      wrong_line(name, n_line, concat("expected NAME = VALUE, got '", line, "'"));
    const std::string_view field_name = trimmed(line.substr(0, equals)),
                           value = trimmed(line.substr(equals + 1));
    const Field *field = find_field(field_name);
    if (!field) wrong_line(name, n_line, concat("no limit or feature is called '", field_name, "'"));
    for (const DeviceProfile::Value &before : profile.values)
      if (before.field == field_name) wrong_line(name, n_line, concat(field_name, " is there twice"));
    auto numbers = read_value(*field, value);
    if (!numbers)
      wrong_line(name, n_line, concat(field_name, " is '", value, "', expected ", expected(*field)));
    profile.values.push_back({std::string(field_name), std::move(*numbers)});
  }
  return profile;
}

DeviceProfile load_profile(const std::string &name_or_path) {
  for (const BuiltinProfile &profile : builtin_profiles())
    if (name_or_path == profile.name) return parse_profile(profile.text, name_or_path);
  if (name_or_path.find_first_of("/.") == std::string::npos || name_or_path.size() > kMaxNameBytes)
    fail(ErrorCode::NotFound, "no device to pretend is called '", name_or_path, "'; there are ",
         known_names(), ", and files (./", name_or_path.substr(0, 64), ")");
  const MappedFile file(name_or_path);
  const auto bytes = file.bytes();
  return parse_profile({reinterpret_cast<const char *>(bytes.data()), bytes.size()}, name_or_path);
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
  caps.profile = profile.name;
  caps.profile_hash = hash_of(profile);
  caps.name += concat(" as ", profile.name);
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
