// The GGUF v3 container as Fovea uses it: type numbers, limits, metadata values and the checked parser.
//
// parse_gguf() owns nothing: its result points into the bytes given, which must outlive it. Thread-safe.
// Throws InvalidFile / Unsupported Errors that name the path. Memory used is bounded by the limits below, not
// by what the file claims. docs/format.md describes the format. Rejected: hash tables for names (a crafted
// file makes them quadratic); copying strings (a hostile file would double its size in memory).
#pragma once

#include "base/tensor_type.h"

#include <optional>
#include <vector>

namespace fovea {

inline constexpr uint32_t kGgufMagic = 0x46554747; // "GGUF"
inline constexpr uint32_t kGgufVersion = 3;
inline constexpr uint64_t kFileAlignment = 256;    // of every tensor, as GPUs bind storage buffers
inline constexpr uint64_t kMaxMetadata = 1u << 16; // entries
inline constexpr uint64_t kMaxTensors = 1u << 16;  // planes
inline constexpr uint64_t kMaxKeyBytes = 255;      // of a metadata key
inline constexpr uint64_t kMaxNameBytes = 63;      // of a tensor name: other GGUF readers refuse longer ones
inline constexpr uint64_t kMaxStringsInArray = 1u << 21; // 32 MiB of string_view

enum class GgufType : uint32_t { U8, I8, U16, I16, U32, I32, F32, Bool, String, Array, U64, I64, F64 };
inline constexpr uint32_t kGgufTypeCount = 13;
/// "u32", "string" …
const char *to_string(GgufType type);
/// Bytes of a value of fixed size; 0 for strings and arrays.
uint64_t size_bytes(GgufType type);

/// The GGUF number of a plain encoding (f32 0, f16 1, i32 26) and back; nothing for any other.
std::optional<uint32_t> gguf_tensor_type(Encoding encoding);
std::optional<Encoding> gguf_encoding(uint32_t tensor_type);

/// Not empty, at most `max_bytes`, printable ASCII without spaces.
bool is_valid_name(std::string_view name, uint64_t max_bytes);

/// One metadata value inside a file: checked, not decoded.
struct MetaValue {
  GgufType type = GgufType::U8;
  GgufType element_type = GgufType::U8; // of an Array
  uint64_t count = 1;                   // elements of an Array
  std::span<const std::byte> payload;   // the value; a String's characters; an Array's elements

  /// The value as T, or nothing when the type differs or the number does not fit. T is bool, uint32_t,
  /// int32_t, uint64_t (from any integer type), float (from f32, f64), std::string_view,
  /// std::vector<std::string_view>, std::vector<int32_t> (from i32, u32), std::vector<float> (from f32),
  /// std::vector<double> (from f64) or std::vector<uint8_t> (from u8, i8).
  template <class T> std::optional<T> as() const;
};
#define FOVEA_META_AS(T) template <> std::optional<T> MetaValue::as<T>() const
FOVEA_META_AS(bool);
FOVEA_META_AS(uint32_t);
FOVEA_META_AS(int32_t);
FOVEA_META_AS(uint64_t);
FOVEA_META_AS(float);
FOVEA_META_AS(std::string_view);
FOVEA_META_AS(std::vector<std::string_view>);
FOVEA_META_AS(std::vector<int32_t>);
FOVEA_META_AS(std::vector<float>);
FOVEA_META_AS(std::vector<double>);
FOVEA_META_AS(std::vector<uint8_t>);
#undef FOVEA_META_AS

/// For people: `42`, `"text…"`, `[50257 strings]`, at most `max_chars` of text.
std::string to_text(const MetaValue &value, size_t max_chars = 60);

struct MetaEntry {
  std::string_view key;
  MetaValue value;
};

/// A tensor as the container lists it: a plane of a quantized tensor is one of these.
struct GgufTensor {
  std::string_view name;
  Shape shape; // outermost first
  Encoding encoding = Encoding::F32;
  uint64_t offset = 0; // from the start of the file
  uint64_t bytes = 0;
};

struct GgufContents {
  std::vector<MetaEntry> metadata; // in file order
  std::vector<GgufTensor> tensors; // in file order, one after another
};

/// Parses and checks everything but the tensors' values.
GgufContents parse_gguf(std::span<const std::byte> bytes, std::string_view path);

} // namespace fovea
