#include "safetensors.h"

#include "console.h"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <fstream>
#include <limits>
#include <set>

namespace tool {
namespace {

using Json = nlohmann::ordered_json;

constexpr uint64_t kMaxHeaderBytes = 16 << 20;
constexpr int kMaxDepth = 4;

[[noreturn]] void invalid(const std::string &path, const std::string &what) {
  fail(FOVEA_INVALID_FILE, {path, ": ", what});
}

template <class T> T load(const unsigned char *p) {
  T value;
  std::memcpy(&value, p, sizeof value);
  return value;
}

float half_to_float(uint16_t h) {
  const int exponent = (h >> 10) & 31, mantissa = h & 1023;
  const float sign = h & 0x8000 ? -1.0f : 1.0f;
  if (exponent == 31)
    return mantissa ? std::numeric_limits<float>::quiet_NaN() : sign * std::numeric_limits<float>::infinity();
  return sign *
         (exponent ? std::ldexp(float(mantissa + 1024), exponent - 25) : std::ldexp(float(mantissa), -24));
}

float bfloat16_to_float(uint16_t b) {
  const uint32_t bits = uint32_t(b) << 16;
  float value;
  std::memcpy(&value, &bits, sizeof value);
  return value;
}

/// How the elements of a dtype are read: bytes of one, and a function that turns one into the tensor's
/// element.
struct Dtype {
  const char *name;
  size_t size;
  fovea_element element;
  void (*convert)(const unsigned char *from, unsigned char *to);
};

template <class To, class From> void convert_as(const unsigned char *from, unsigned char *to) {
  const To value = To(load<From>(from));
  std::memcpy(to, &value, sizeof value);
}
template <float (*F)(uint16_t)> void convert_16(const unsigned char *from, unsigned char *to) {
  const float value = F(load<uint16_t>(from));
  std::memcpy(to, &value, sizeof value);
}

constexpr Dtype kDtypes[] = {
    {"F64", 8, FOVEA_F32, convert_as<float, double>},
    {"F32", 4, FOVEA_F32, convert_as<float, float>},
    {"F16", 2, FOVEA_F32, convert_16<half_to_float>},
    {"BF16", 2, FOVEA_F32, convert_16<bfloat16_to_float>},
    {"I64", 8, FOVEA_I64, convert_as<int64_t, int64_t>},
    {"U32", 4, FOVEA_I64, convert_as<int64_t, uint32_t>},
    {"I32", 4, FOVEA_I32, convert_as<int32_t, int32_t>},
    {"I16", 2, FOVEA_I32, convert_as<int32_t, int16_t>},
    {"U16", 2, FOVEA_I32, convert_as<int32_t, uint16_t>},
    {"I8", 1, FOVEA_I32, convert_as<int32_t, signed char>},
    {"U8", 1, FOVEA_I32, convert_as<int32_t, uint8_t>},
    {"BOOL", 1, FOVEA_I32, convert_as<int32_t, uint8_t>},
};

std::string read_file(const std::string &path) {
  std::ifstream file(path, std::ios::binary | std::ios::ate);
  const auto end = file ? file.tellg() : std::ifstream::pos_type(-1);
  if (end < 0) fail(FOVEA_NOT_FOUND, {path, ": cannot be read: ", std::strerror(errno)});
  std::string bytes;
  if (uint64_t(end) > bytes.max_size() / 2) invalid(path, "not a safetensors file (a folder?)");
  bytes.resize(size_t(end));
  file.seekg(0);
  if (!file.read(bytes.data(), std::streamsize(bytes.size()))) fail(FOVEA_IO, {path, ": cannot be read"});
  return bytes;
}

Json parse_header(const std::string &path, const std::string &file) {
  if (file.size() < 8) invalid(path, format("not a safetensors file: %zu bytes", file.size()));
  const auto header_bytes = load<uint64_t>(reinterpret_cast<const unsigned char *>(file.data()));
  if (header_bytes > kMaxHeaderBytes || header_bytes > file.size() - 8)
    invalid(path, format("not a safetensors file, or cut short: header of %llu bytes in a file of %zu",
                         (unsigned long long)header_bytes, file.size()));
  std::set<std::string> names;
  const auto check = [&](int depth, Json::parse_event_t event, Json &parsed) {
    if (depth > kMaxDepth) invalid(path, "header is nested too deep");
    if (event == Json::parse_event_t::key && depth == 1 && !names.insert(parsed.get<std::string>()).second)
      invalid(path, "tensor '" + parsed.get<std::string>() + "' is there twice");
    return true;
  };
  try {
    Json header = Json::parse(file.data() + 8, file.data() + 8 + header_bytes, check);
    if (!header.is_object()) invalid(path, "header is not a JSON object");
    return header;
  } catch (const nlohmann::json::exception &) {
    invalid(path, "header is not valid JSON");
  }
}

/// Element `i` of a list of sizes; anything but a non-negative integer is an Error.
uint64_t size_at(const Json &list, size_t i, const std::string &path, const std::string &name) {
  if (!list[i].is_number_unsigned()) invalid(path, "tensor '" + name + "': malformed shape or data_offsets");
  return list[i].get<uint64_t>();
}

OwnedTensor read_tensor(const std::string &path, const std::string &name, const Json &entry,
                        std::string_view data) {
  const auto member = [&](const char *key) -> const Json & {
    if (!entry.is_object() || !entry.contains(key)) invalid(path, "tensor '" + name + "' has no " + key);
    return entry[key];
  };
  const Json &dtype_name = member("dtype"), &shape = member("shape"), &offsets = member("data_offsets");
  const auto dtype = std::find_if(std::begin(kDtypes), std::end(kDtypes), [&](const Dtype &d) {
    return dtype_name.is_string() && dtype_name.get<std::string>() == d.name;
  });
  if (dtype == std::end(kDtypes)) invalid(path, "tensor '" + name + "' has dtype " + dtype_name.dump());
  if (!shape.is_array() || shape.size() > 4 || !offsets.is_array() || offsets.size() != 2)
    invalid(path, "tensor '" + name + "': malformed shape (rank 0 to 4) or data_offsets");
  OwnedTensor tensor;
  tensor.name = name;
  tensor.element = dtype->element;
  uint64_t n = 1, n_bytes = 0;
  for (size_t i = 0; i < shape.size(); ++i) {
    tensor.shape.push_back(size_at(shape, i, path, name));
    if (__builtin_mul_overflow(n, tensor.shape.back(), &n))
      invalid(path, "tensor '" + name + "': shape overflows");
  }
  const uint64_t begin = size_at(offsets, 0, path, name), end = size_at(offsets, 1, path, name);
  if (begin > end || end > data.size() || __builtin_mul_overflow(n, dtype->size, &n_bytes) ||
      n_bytes != end - begin)
    invalid(path, "tensor '" + name + "': data_offsets do not fit its shape or the file (cut short?)");
  const size_t to_size = dtype->element == FOVEA_I64 ? 8 : 4;
  tensor.bytes.resize(n * to_size); // at most 4 times the file
  const auto *from = reinterpret_cast<const unsigned char *>(data.data()) + begin;
  for (uint64_t i = 0; i < n; ++i) dtype->convert(from + i * dtype->size, tensor.bytes.data() + i * to_size);
  return tensor;
}

} // namespace

fovea_tensor OwnedTensor::view() const {
  fovea_tensor tensor{name.c_str(), element, uint32_t(shape.size()), {}, bytes.data()};
  std::copy(shape.begin(), shape.end(), tensor.shape);
  return tensor;
}

std::vector<OwnedTensor> read_safetensors(const std::string &path) {
  const std::string file = read_file(path);
  const Json header = parse_header(path, file);
  const auto header_bytes = load<uint64_t>(reinterpret_cast<const unsigned char *>(file.data()));
  const std::string_view data = std::string_view(file).substr(8 + header_bytes);
  std::vector<OwnedTensor> tensors;
  for (const auto &[name, entry] : header.items())
    if (name != "__metadata__") tensors.push_back(read_tensor(path, name, entry, data));
  return tensors;
}

void write_safetensors(const std::string &path, const std::vector<fovea_tensor> &tensors) {
  Json header = Json::object();
  uint64_t offset = 0;
  std::vector<uint64_t> sizes;
  for (const fovea_tensor &t : tensors) {
    uint64_t n_bytes = t.element == FOVEA_I64 ? 8 : 4;
    for (uint32_t i = 0; i < t.rank; ++i) n_bytes *= t.shape[i];
    header[t.name] = {{"dtype", t.element == FOVEA_F32   ? "F32"
                                : t.element == FOVEA_I32 ? "I32"
                                                         : "I64"},
                      {"shape", std::vector<uint64_t>(t.shape, t.shape + t.rank)},
                      {"data_offsets", {offset, offset + n_bytes}}};
    offset += n_bytes;
    sizes.push_back(n_bytes);
  }
  std::string text = header.dump();
  text.resize((text.size() + 7) / 8 * 8, ' '); // data begins on 8 bytes, as other readers like it
  const uint64_t header_bytes = text.size();
  OutputFile file(path);
  file.write({reinterpret_cast<const char *>(&header_bytes), sizeof header_bytes});
  file.write(text);
  for (size_t i = 0; i < tensors.size(); ++i)
    file.write({static_cast<const char *>(tensors[i].data), sizes[i]});
  file.commit();
}

} // namespace tool
