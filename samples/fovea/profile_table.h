// Profiles as tables for people. Pure.
#pragma once

#include <string>

namespace tool {

/// A profile in JSON (docs/api.md), summed by operation and kernel, most time first.
std::string profile_table(const std::string &json);

} // namespace tool
