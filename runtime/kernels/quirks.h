// Quirks: drivers that are known to do something wrong, and the features and kernels to do without there.
// Those that come with Fovea are in kernels/quirks.txt, which has the format; FOVEA_QUIRKS names another file
// (docs/command-line.md). Values; thread-safe. Parsing throws InvalidArgument, with file and line, for
// anything that is not the format, and for features and kernels that do not exist.
#pragma once

#include "base/device_caps.h"

#include <optional>
#include <span>
#include <string_view>

namespace fovea {

struct Quirk {
  struct Range {
    uint32_t first = 0, last = UINT32_MAX;
    bool has(uint32_t value) const { return value >= first && value <= last; }
  };
  std::string name, because, source;
  Range vendor, device, driver, version;
  std::vector<std::string> off;      // as written
  std::set<uint32_t> kernels;        // those that it names
  std::vector<std::string> features; // names for switch_off()

  bool concerns(const DeviceCaps &caps) const {
    return vendor.has(caps.vendor_id) && device.has(caps.device_id) && driver.has(caps.driver_id) &&
           version.has(caps.driver_version);
  }
};

/// `name` is for errors.
std::vector<Quirk> parse_quirks(std::string_view text, const std::string &name);
std::vector<Quirk> builtin_quirks();
/// FOVEA_QUIRKS: a file in place of the built-in ones, +FILE in addition to them, none for none of them;
/// unset or empty: the built-in ones.
std::vector<Quirk> quirks_from_environment();

/// Takes from the device what those that concern it say, and notes each in caps.quirks.
void apply_quirks(DeviceCaps &caps, std::span<const Quirk> quirks);

} // namespace fovea
