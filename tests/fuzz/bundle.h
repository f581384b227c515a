// Several files in one input, as a model's folder has them: a name's length in one byte, the name, the bytes'
// length in four, the bytes. What is cut short is the last file's. Values.
#pragma once

#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>
#include <vector>

namespace fovea::fuzz {

struct BundledFile {
  std::string name, bytes;
};

inline std::vector<BundledFile> unbundle(std::string_view input) {
  std::vector<BundledFile> files;
  while (!input.empty() && files.size() < 16) {
    BundledFile file;
    const auto take = [&](size_t n) {
      const std::string_view out = input.substr(0, n);
      input.remove_prefix(out.size());
      return out;
    };
    file.name = take(uint8_t(take(1)[0]));
    uint32_t n = 0;
    const std::string_view length = take(4);
    if (!length.empty()) std::memcpy(&n, length.data(), length.size());
    file.bytes = take(n);
    files.push_back(std::move(file));
  }
  return files;
}

inline std::string bundle(const std::vector<BundledFile> &files) {
  std::string out;
  for (const BundledFile &file : files) {
    const std::string name = file.name.substr(0, 255);
    const auto n = uint32_t(file.bytes.size());
    out += char(uint8_t(name.size()));
    out += name;
    out.append(reinterpret_cast<const char *>(&n), 4);
    out += file.bytes;
  }
  return out;
}

} // namespace fovea::fuzz
