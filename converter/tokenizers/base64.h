// Base64 (RFC 4648) in text. Pure.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace fovea {

/// The bytes; nothing when `text` is not base64. Padding may be absent.
std::optional<std::string> base64_decode(std::string_view text);

} // namespace fovea
