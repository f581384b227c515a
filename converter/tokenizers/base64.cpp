#include "converter/tokenizers/base64.h"

#include <cstdint>

namespace fovea {

std::optional<std::string> base64_decode(std::string_view text) {
  constexpr std::string_view kAlphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  while (!text.empty() && text.back() == '=') text.remove_suffix(1);
  std::string out;
  out.reserve(text.size() / 4 * 3 + 2);
  uint32_t bits = 0;
  int n_bits = 0;
  for (const char c : text) {
    const size_t value = kAlphabet.find(c);
    if (value == std::string_view::npos) return {};
    bits = (bits << 6 | uint32_t(value)) & 0xFFFFFF;
    if ((n_bits += 6) >= 8) out += char(bits >> (n_bits -= 8) & 0xFF);
  }
  if (n_bits >= 6) return {};
  return out;
}

} // namespace fovea
