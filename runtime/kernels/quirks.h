// Quirks: drivers that are known to do something wrong, and the features and kernels to do without there.
// Those that come with Fovea are in kernels/quirks.txt, which has the format; FOVEA_QUIRKS names another file
// (docs/command-line.md). Functions of the device and of text; thread-safe. Throw InvalidArgument, with file
// and line, for anything that is not the format, and for features and kernels that do not exist, whether or
// not they concern the device.
#pragma once

#include "base/device_caps.h"

#include <string_view>

namespace fovea {

/// The text of those that come with Fovea.
std::string_view builtin_quirks();

/// Takes from the device what those that concern it say, and notes each in caps.quirks. `name` is for errors.
void apply_quirks(DeviceCaps &caps, std::string_view text, const std::string &name);
/// Those of FOVEA_QUIRKS: a file in place of the built-in ones, +FILE in addition to them, none for none of
/// them; unset or empty: the built-in ones. Throws NotFound and Io, too.
void apply_quirks(DeviceCaps &caps);

} // namespace fovea
