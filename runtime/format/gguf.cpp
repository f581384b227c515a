#include "format/gguf.h"

#include <cmath>
#include <cstring>
#include <limits>
#include <utility>

namespace fovea {
namespace {

struct TypeRow {
  const char *name;
  uint64_t size_bytes;
};
constexpr TypeRow kTypes[kGgufTypeCount] = {{"u8", 1},  {"i8", 1},  {"u16", 2},  {"i16", 2},    {"u32", 4},
                                            {"i32", 4}, {"f32", 4}, {"bool", 1}, {"string", 0}, {"array", 0},
                                            {"u64", 8}, {"i64", 8}, {"f64", 8}};

template <class T> T load(const std::byte *bytes) {
  T value;
  std::memcpy(&value, bytes, sizeof value);
  return value;
}

template <class To, class From> std::optional<To> narrow(From value) {
  if (!std::in_range<To>(value)) return {};
  return To(value);
}

template <class To> std::optional<To> integer(GgufType type, const std::byte *at) {
  switch (type) {
  case GgufType::U8: return narrow<To>(load<uint8_t>(at));
  case GgufType::I8: return narrow<To>(load<int8_t>(at));
  case GgufType::U16: return narrow<To>(load<uint16_t>(at));
  case GgufType::I16: return narrow<To>(load<int16_t>(at));
  case GgufType::U32: return narrow<To>(load<uint32_t>(at));
  case GgufType::I32: return narrow<To>(load<int32_t>(at));
  case GgufType::U64: return narrow<To>(load<uint64_t>(at));
  case GgufType::I64: return narrow<To>(load<int64_t>(at));
  default: return {};
  }
}

std::string_view characters(std::span<const std::byte> bytes) {
  return {reinterpret_cast<const char *>(bytes.data()), bytes.size()};
}

template <class T> std::vector<T> copy_array(const MetaValue &value) {
  std::vector<T> out(value.count);
  if (!out.empty()) std::memcpy(out.data(), value.payload.data(), value.payload.size());
  return out;
}

std::string quoted(std::string_view text, size_t max_chars) {
  std::string out = "\"";
  for (const char c : text.substr(0, max_chars)) {
    if (c == '\n')
      out += "\\n";
    else if (static_cast<unsigned char>(c) < 32 || c == 127)
      out += '.';
    else
      out += c;
  }
  return out + (text.size() > max_chars ? "…\"" : "\"");
}

std::string number(GgufType type, const std::byte *at) {
  switch (type) {
  case GgufType::F32: return concat(load<float>(at));
  case GgufType::F64: return concat(load<double>(at));
  case GgufType::Bool: return load<uint8_t>(at) ? "true" : "false";
  case GgufType::U64: return concat(load<uint64_t>(at));
  default: return concat(integer<int64_t>(type, at).value_or(0));
  }
}

} // namespace

const char *to_string(GgufType type) { return kTypes[size_t(type)].name; }
uint64_t size_bytes(GgufType type) { return kTypes[size_t(type)].size_bytes; }

std::optional<uint32_t> gguf_tensor_type(Encoding encoding) {
  switch (encoding) {
  case Encoding::F32: return 0;
  case Encoding::F16: return 1;
  case Encoding::I32: return 26;
  default: return {};
  }
}

std::optional<Encoding> gguf_encoding(uint32_t tensor_type) {
  for (const Encoding encoding : kAllEncodings)
    if (gguf_tensor_type(encoding) == tensor_type) return encoding;
  return {};
}

bool is_valid_name(std::string_view name, uint64_t max_bytes) {
  if (name.empty() || name.size() > max_bytes) return false;
  for (const char c : name)
    if (c <= ' ' || c > '~') return false; // printable ASCII; a byte above 127 is a negative char or > '~'
  return true;
}

template <> std::optional<bool> MetaValue::as() const {
  if (type != GgufType::Bool) return {};
  return load<uint8_t>(payload.data()) != 0;
}
template <> std::optional<uint32_t> MetaValue::as() const { return integer<uint32_t>(type, payload.data()); }
template <> std::optional<int32_t> MetaValue::as() const { return integer<int32_t>(type, payload.data()); }
template <> std::optional<uint64_t> MetaValue::as() const { return integer<uint64_t>(type, payload.data()); }
template <> std::optional<float> MetaValue::as() const {
  if (type == GgufType::F32) return load<float>(payload.data());
  if (type != GgufType::F64) return {};
  const double value = load<double>(payload.data());
  if (std::isfinite(value) && std::abs(value) > double(std::numeric_limits<float>::max())) return {};
  return float(value);
}
template <> std::optional<std::string_view> MetaValue::as() const {
  if (type != GgufType::String) return {};
  return characters(payload);
}
template <> std::optional<std::vector<std::string_view>> MetaValue::as() const {
  if (type != GgufType::Array || element_type != GgufType::String) return {};
  std::vector<std::string_view> out;
  out.reserve(count);
  for (size_t at = 0; out.size() < count;) {
    const uint64_t n = load<uint64_t>(payload.data() + at);
    out.push_back(characters(payload.subspan(at + 8, n)));
    at += 8 + n;
  }
  return out;
}
template <> std::optional<std::vector<int32_t>> MetaValue::as() const {
  if (type != GgufType::Array) return {};
  if (element_type == GgufType::U32) {
    for (uint64_t i = 0; i < count; ++i)
      if (!narrow<int32_t>(load<uint32_t>(payload.data() + 4 * i))) return {};
  } else if (element_type != GgufType::I32) {
    return {};
  }
  return copy_array<int32_t>(*this);
}
template <> std::optional<std::vector<float>> MetaValue::as() const {
  if (type != GgufType::Array || element_type != GgufType::F32) return {};
  return copy_array<float>(*this);
}
template <> std::optional<std::vector<double>> MetaValue::as() const {
  if (type != GgufType::Array || element_type != GgufType::F64) return {};
  return copy_array<double>(*this);
}
template <> std::optional<std::vector<uint8_t>> MetaValue::as() const {
  if (type != GgufType::Array || (element_type != GgufType::U8 && element_type != GgufType::I8)) return {};
  return copy_array<uint8_t>(*this);
}

std::string to_text(const MetaValue &value, size_t max_chars) {
  if (value.type == GgufType::String) return quoted(characters(value.payload), max_chars);
  if (value.type != GgufType::Array) return number(value.type, value.payload.data());
  const std::string summary = concat("[", value.count, " ", value.element_type, "]");
  if (value.element_type == GgufType::String || value.count > 16) return summary;
  std::string out = "[";
  const uint64_t stride = size_bytes(value.element_type);
  for (uint64_t i = 0; i < value.count; ++i)
    out += (i ? ", " : "") + number(value.element_type, value.payload.data() + i * stride);
  return out.size() < max_chars ? out + "]" : summary;
}

} // namespace fovea
