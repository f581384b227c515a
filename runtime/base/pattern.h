// Names by pattern. Pure; thread-safe; nothing throws.
#pragma once

#include <string_view>

namespace fovea {

/// Whether `text` is `pattern`, in which `*` stands for any characters.
bool matches_pattern(std::string_view text, std::string_view pattern);

} // namespace fovea
