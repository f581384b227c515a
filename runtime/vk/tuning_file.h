// The table that `fovea tune` measured on a device (kernels/tuning.h), kept beside the pipeline cache and
// keyed as it is: by vendor, device, driver version, pipelineCacheUUID and a hash of all SPIR-V. What was
// measured with another driver or other kernels is not found; a file that is damaged is ignored with a
// warning. Thread-safe; two writers: the last one's file stays whole.
#pragma once

#include "kernels/tuning.h"

#include <memory>

namespace fovea::vk {

/// Of a device's table in a cache folder; empty for an empty folder.
std::string tuning_path(const std::string &folder, const DeviceCaps &caps);
/// Nothing when there is no table for exactly this device, driver and version of Fovea.
std::shared_ptr<const TuningTable> load_tuning(const std::string &folder, const DeviceCaps &caps);
/// Writes a temporary file and renames it; the path. Error Io; InvalidArgument for an empty folder.
std::string save_tuning(const std::string &folder, const DeviceCaps &caps, const TuningTable &table);
/// Whether there was one. Error Io.
bool clear_tuning(const std::string &folder, const DeviceCaps &caps);

/// False when FOVEA_TUNING is 0 or off. Error InvalidArgument when it is anything but 0, off, 1, on or empty.
bool tuning_from_environment();

} // namespace fovea::vk
