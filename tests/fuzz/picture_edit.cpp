#include "fuzz/picture_edit.h"

#include <algorithm>
#include <cstring>
#include <zlib.h>

namespace fovea::fuzz {
namespace {

constexpr std::string_view kPng("\x89PNG\r\n\x1A\n", 8);
constexpr size_t kMaxInflated = 1 << 16;

std::string big(uint32_t value, size_t n) {
  std::string out(n, '\0');
  for (size_t i = 0; i < n; ++i) out[i] = char(uint8_t(value >> 8 * (n - 1 - i)));
  return out;
}
uint32_t big(std::string_view bytes) {
  uint32_t value = 0;
  for (const char c : bytes) value = value << 8 | uint8_t(c);
  return value;
}

/// A chunk of a PNG, or a segment of a JPEG with what follows it up to the next.
struct Part {
  std::string id, bytes, tail;
};

std::vector<Part> png_parts(std::string_view file) {
  std::vector<Part> out;
  for (size_t at = 8; at + 8 <= file.size() && out.size() < 64;) {
    const uint64_t n = big(file.substr(at, 4));
    out.push_back({std::string(file.substr(at + 4, 4)), std::string(file.substr(at + 8, n)), {}});
    at += 12 + n;
  }
  return out;
}
std::string png(const std::vector<Part> &parts) {
  std::string out(kPng);
  for (const Part &p : parts) {
    const std::string body = p.id + p.bytes;
    const auto sum = ::crc32(0, reinterpret_cast<const Bytef *>(body.data()), uInt(body.size()));
    out += big(uint32_t(p.bytes.size()), 4) + body + big(uint32_t(sum), 4);
  }
  return out;
}

std::vector<Part> jpeg_parts(std::string_view file) {
  std::vector<Part> out;
  for (size_t at = 2; at + 4 <= file.size() && file[at] == '\xFF' && out.size() < 64;) {
    const size_t n =
        std::min<size_t>(std::max<uint32_t>(2, big(file.substr(at + 2, 2))), file.size() - at - 2);
    const size_t end = at + 2 + n;
    size_t next = end;
    while (next + 1 < file.size() &&
           !(file[next] == '\xFF' && file[next + 1] != 0 && uint8_t(file[next + 1]) != 0xFF &&
             (uint8_t(file[next + 1]) < 0xD0 || uint8_t(file[next + 1]) > 0xD7)))
      ++next;
    if (next + 1 >= file.size()) next = file.size();
    out.push_back({std::string(file.substr(at, 2)), std::string(file.substr(at + 4, n - 2)),
                   std::string(file.substr(end, next - end))});
    at = next;
  }
  return out;
}
std::string jpeg(const std::vector<Part> &parts) {
  std::string out = "\xFF\xD8";
  for (const Part &p : parts) out += p.id + big(uint32_t(p.bytes.size() + 2), 2) + p.bytes + p.tail;
  return out;
}

std::string inflated(const std::string &bytes) {
  std::string out(kMaxInflated, '\0');
  uLongf n = kMaxInflated;
  if (::uncompress(reinterpret_cast<Bytef *>(out.data()), &n, reinterpret_cast<const Bytef *>(bytes.data()),
                   uLong(bytes.size())) != Z_OK)
    return {};
  out.resize(n);
  return out;
}
std::string deflated(const std::string &bytes) {
  std::string out(::compressBound(uLong(bytes.size())), '\0');
  auto n = uLongf(out.size());
  ::compress2(reinterpret_cast<Bytef *>(out.data()), &n, reinterpret_cast<const Bytef *>(bytes.data()),
              uLong(bytes.size()), 1);
  out.resize(n);
  return out;
}

void edit_part(Part &p, Dice &dice) {
  if (dice.one_in(12)) {
    p.id = mutate_bytes(p.id, 0);
    p.id.resize(p.id.empty() ? 2 : p.id.size());
  } else if (!p.tail.empty() && dice.one_in(2)) {
    p.tail = mutate_bytes(p.tail);
  } else if (const std::string plain = p.id == "IDAT" && !dice.one_in(3) ? inflated(p.bytes) : "";
             !plain.empty()) {
    p.bytes = deflated(mutate_bytes(plain, 64));
  } else if (!p.bytes.empty() && dice.one_in(2)) {
    const size_t at = dice.below(p.bytes.size());
    p.bytes[at] = char(dice.number(uint8_t(p.bytes[at])));
  } else {
    p.bytes = mutate_bytes(p.bytes);
  }
}

} // namespace

std::string edit_picture(std::string_view file, Dice &dice) {
  const bool is_png = file.starts_with(kPng), is_jpeg = file.starts_with("\xFF\xD8");
  if ((!is_png && !is_jpeg) || dice.one_in(6)) return mutate_bytes(std::string(file));
  std::vector<Part> parts = is_png ? png_parts(file) : jpeg_parts(file);
  if (parts.empty()) return mutate_bytes(std::string(file));
  if (dice.one_in(6))
    shuffle_list(parts, dice);
  else
    edit_part(parts[dice.below(parts.size())], dice);
  return is_png ? png(parts) : jpeg(parts);
}

std::string join_pictures(std::string_view a, std::string_view b, Dice &dice) {
  const bool is_png = a.starts_with(kPng);
  if (is_png != b.starts_with(kPng) || a.substr(0, 2) != b.substr(0, 2) ||
      (!is_png && !a.starts_with("\xFF\xD8")))
    return {};
  std::vector<Part> mine = is_png ? png_parts(a) : jpeg_parts(a);
  const std::vector<Part> theirs = is_png ? png_parts(b) : jpeg_parts(b);
  if (theirs.empty()) return {};
  mine.insert(mine.begin() + std::ptrdiff_t(dice.below(mine.size() + 1)), dice.of(theirs));
  return is_png ? png(mine) : jpeg(mine);
}

} // namespace fovea::fuzz
