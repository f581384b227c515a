// What a GGUF file of llama.cpp's family says before its tensors' bytes: metadata and the tensor table.
//
// Owns copies of the metadata, never larger than the file. Movable; thread-safe to read. Errors InvalidFile
// and Unsupported name the file, the key and the tensor. format/gguf.h reads Fovea's own files, whose rules
// are stricter (alignment, order, types, no gaps); metadata values and their checks are shared with it.
// Source: ggml's docs/gguf.md.
#pragma once

#include "converter/sources/source.h"
#include "format/gguf.h"

#include <map>

namespace fovea {

class GgufHeader {
public:
  explicit GgufHeader(const InputFile &file);

  const std::string &path() const { return path_; }
  /// Offsets are in the file. Blocks of the types of SourceType only; rank 1 to 4.
  const std::vector<SourceTensor> &tensors() const { return tensors_; }

  bool has(std::string_view key) const { return values_.contains(key); }
  /// Of all keys that start with `prefix`, in order.
  std::vector<std::string_view> keys(std::string_view prefix) const;
  /// For arrays and printing. Points into this header. Error NotFound.
  MetaValue value(std::string_view key) const;
  /// Nothing when absent; Error when it is of another type.
  template <class T> std::optional<T> find(std::string_view key) const {
    if (!has(key)) return {};
    const std::optional<T> out = value(key).as<T>();
    if (!out)
      fail(ErrorCode::InvalidFile, path_, ": metadata '", key, "' is ", to_text(value(key)),
           ", which does not fit");
    return out;
  }
  /// Error when absent.
  template <class T> T get(std::string_view key) const {
    std::optional<T> out = find<T>(key);
    if (!out) fail(ErrorCode::InvalidFile, path_, ": metadata '", key, "' is missing");
    return *std::move(out);
  }

private:
  struct Stored {
    GgufType type = GgufType::U8, element_type = GgufType::U8;
    uint64_t count = 1;
    std::vector<std::byte> payload;
  };
  template <class... Parts> [[noreturn]] void bad(const Parts &...parts) const {
    fail(ErrorCode::InvalidFile, path_, ": ", parts...);
  }
  std::string name(FileCursor &in, std::string_view what, uint64_t max_bytes) const;
  Stored stored(FileCursor &in, std::string_view key) const;
  SourceTensor tensor(FileCursor &in) const;

  std::string path_;
  std::map<std::string, Stored, std::less<>> values_;
  std::vector<SourceTensor> tensors_;
};

} // namespace fovea
