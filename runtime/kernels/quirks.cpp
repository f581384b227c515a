#include "kernels/quirks.h"

#include "base/device_profile.h"
#include "base/error.h"
#include "base/name_values.h"
#include "kernels/catalogue.h"

#include <algorithm>
#include <cstdlib>

namespace fovea {
namespace {

struct Text {
  const char *name, *title, *text;
};
constexpr Text kBuiltin[] = {
#include "kernels/quirks.inc"
};

struct Range {
  uint32_t first = 0, last = UINT32_MAX;
  bool has(uint32_t value) const { return value >= first && value <= last; }
  bool is_any() const { return first == 0 && last == UINT32_MAX; }
};

/// One case of a list; words are the list's.
struct Quirk {
  std::string_view name, off, because, source;
  Range vendor, device, driver, version;

  bool concerns(const DeviceCaps &caps) const {
    return vendor.has(caps.vendor_id) && device.has(caps.device_id) && driver.has(caps.driver_id) &&
           version.has(caps.driver_version);
  }
};

bool read_number(std::string_view text, uint32_t &value) {
  const bool hex = text.starts_with("0x");
  if (hex) text.remove_prefix(2);
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value, hex ? 16 : 10);
  return error == std::errc() && end == text.data() + text.size();
}

/// N, FIRST..LAST, FIRST.. or ..LAST
bool read_range(std::string_view text, Range &range) {
  const size_t dots = text.find("..");
  if (dots == std::string_view::npos) {
    const bool is_number = read_number(text, range.first);
    range.last = range.first;
    return is_number;
  }
  const std::string_view first = text.substr(0, dots), last = text.substr(dots + 2);
  return !(first.empty() && last.empty()) && (first.empty() || read_number(first, range.first)) &&
         (last.empty() || read_number(last, range.last)) && range.first <= range.last;
}

Range *range_of(Quirk &q, std::string_view name) {
  if (name == "vendor") return &q.vendor;
  if (name == "device") return &q.device;
  if (name == "driver") return &q.driver;
  return name == "version" ? &q.version : nullptr;
}

/// A feature, or the kernels of that name, where * at its end stands for any. False for what is neither.
bool take_away(DeviceCaps &caps, std::string_view word) {
  if (switch_off(caps, word)) return true;
  const bool any_end = word.ends_with('*');
  if (any_end) word.remove_suffix(1);
  bool found = false;
  for (uint32_t id = 0; id < kKernelCount; ++id) {
    const std::string_view kernel = to_string(KernelId(id));
    if (any_end ? !kernel.starts_with(word) : kernel != word) continue;
    caps.disabled_kernels.insert(id);
    found = true;
  }
  return found;
}

/// Checks a case when all of it is read, and takes away what it says where it concerns the device.
void finish(const Quirk &q, const NameValues &line, DeviceCaps &caps) {
  if (q.name.empty()) return; // before the first
  if (q.vendor.is_any() && q.driver.is_any())
    line.wrong({"quirk '", q.name, "' before has no vendor and no driver"});
  if (q.off.empty()) line.wrong({"quirk '", q.name, "' before switches nothing off"});
  if (q.because.empty()) line.wrong({"quirk '", q.name, "' before has no 'because'"});
  if (!q.concerns(caps)) return;
  for (size_t at = 0; at < q.off.size();) {
    const size_t end = std::min(q.off.find_first_of(" \t", at), q.off.size());
    take_away(caps, q.off.substr(at, end - at));
    at = std::min(q.off.find_first_not_of(" \t", end), q.off.size());
  }
  std::string &note = caps.quirks;
  if (!note.empty()) note += '\n';
  note.append(q.name).append(": without ").append(q.off).append(": ").append(q.because);
  if (!q.source.empty()) note.append(" (").append(q.source).append(")");
}

} // namespace

std::string_view builtin_quirks() { return kBuiltin[0].text; }

void apply_quirks(DeviceCaps &caps, std::string_view text, const std::string &name) {
  Quirk q;
  DeviceCaps any; // what is switched off to see whether there is such a thing
  NameValues line(text, name);
  while (line.next()) {
    const std::string_view key = line.name();
    if (key == "quirk") {
      finish(q, line, caps);
      q = {};
      q.name = line.value();
      if (q.name.empty()) line.wrong({"a quirk needs a name"});
    } else if (q.name.empty()) {
      line.wrong({"expected 'quirk = NAME' before '", key, "'"});
    } else if (Range *range = range_of(q, key)) {
      const std::string_view value = line.value();
      if (!read_range(value, *range))
        line.wrong({key, " is '", value, "', expected a number or a range such as 0x100..0x1ff"});
    } else if (key == "because") {
      q.because = line.value();
    } else if (key == "source") {
      q.source = line.value();
    } else if (key == "off") {
      q.off = line.value();
      for (std::string_view word = line.next_word(); !word.empty(); word = line.next_word())
        if (!take_away(any, word)) line.wrong({"'", word, "' is no feature and no kernel"});
    } else {
      line.wrong({"no part of a quirk is called '", key, "'"});
    }
  }
  finish(q, line, caps);
}

void apply_quirks(DeviceCaps &caps) {
  const char *value = std::getenv("FOVEA_QUIRKS");
  std::string path = value ? value : "";
  if (path == "none") return;
  const bool adds = path.starts_with('+');
  if (adds) path.erase(0, 1);
  if (path.empty() || adds) apply_quirks(caps, builtin_quirks(), "built-in quirks");
  if (path.empty()) return;
  try {
    apply_quirks(caps, read_small_file(path), path);
  } catch (const Error &e) {
    fail(e.code(), "FOVEA_QUIRKS: ", e.what());
  }
}

} // namespace fovea
