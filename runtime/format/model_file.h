// ModelFile: a flat file (.fovea.gguf), mapped read-only.
//
// Owns the mapping; every string_view, span and pointer it gives lives as long as it. Immutable once
// constructed: any number of threads may read it. Movable. The constructor throws NotFound / Io / InvalidFile
// / Unsupported Errors that name the file; once it returns, every offset, size and name is valid (graph text
// is the graph library's to check). Values of weights are data: a damaged scale may be NaN; verify() finds
// such damage. A file that another process truncates while it is mapped still kills the reader (SIGBUS), as
// with every mapping: files are replaced by rename. Rejected: reading into memory (weights of gigabytes would
// be in memory twice on a phone).
#pragma once

#include "base/mapped_file.h"
#include "format/gguf.h"

#include <functional>

namespace fovea {

/// A tensor of the model: the planes of a quantized matrix are one tensor.
struct TensorInfo {
  std::string_view name;
  TensorType type;     // logical shape, e.g. q8 [N, K]
  uint64_t offset = 0; // of the tensor, or of its q plane, from the start of the file; a multiple of 256
  uint64_t bytes = 0;  // of the tensor, or of its q plane
  uint64_t scale_offset = 0; // of the s plane of a quantized tensor, a multiple of 256; else 0
  uint64_t scale_bytes = 0;
};

class ModelFile {
public:
  explicit ModelFile(const std::string &path);
  explicit ModelFile(MappedFile map);

  const std::string &path() const { return map_.path(); }
  /// The whole file; the address of a mapped one is page-aligned.
  std::span<const std::byte> bytes() const { return map_.bytes(); }

  /// In file order: a matrix, then (if it has one) its bias.
  const std::vector<TensorInfo> &tensors() const { return tensors_; }
  /// nullptr when there is none of that name.
  const TensorInfo *find(std::string_view name) const;
  /// Error NotFound.
  const TensorInfo &require(std::string_view name) const;
  /// The first (or only) plane's bytes, and the scale plane's.
  std::span<const std::byte> plane(const TensorInfo &t) const { return bytes().subspan(t.offset, t.bytes); }
  std::span<const std::byte> scales(const TensorInfo &t) const {
    return bytes().subspan(t.scale_offset, t.scale_bytes);
  }
  /// Decodes rows `first` … `first + count - 1` (all dimensions but the innermost, flattened) to floats.
  /// out: count × row length. For references, tests and tables, not for kernels.
  void decode_rows(const TensorInfo &tensor, uint64_t first, uint64_t count, std::span<float> out) const;

  /// Names of the graphs (`fovea.graph.<name>`), in file order.
  const std::vector<std::string_view> &graph_names() const { return graph_names_; }
  /// Error NotFound; the message lists the graphs there are.
  std::string_view graph_text(std::string_view name) const;

  /// All metadata in file order, and one entry's value (nullptr when absent).
  const std::vector<MetaEntry> &metadata() const { return metadata_; }
  const MetaValue *find_meta(std::string_view key) const;

  /// find_*: nothing when the key is absent. get_*: Error NotFound. Both: Error InvalidFile when the value
  /// has another type or does not fit. Integers are read from any integer type.
  std::optional<std::string_view> find_string(std::string_view key) const {
    return find_as<std::string_view>(key);
  }
  std::optional<bool> find_bool(std::string_view key) const { return find_as<bool>(key); }
  std::optional<uint32_t> find_u32(std::string_view key) const { return find_as<uint32_t>(key); }
  std::optional<int32_t> find_i32(std::string_view key) const { return find_as<int32_t>(key); }
  std::optional<uint64_t> find_u64(std::string_view key) const { return find_as<uint64_t>(key); }
  std::optional<float> find_f32(std::string_view key) const { return find_as<float>(key); }
  std::optional<std::vector<std::string_view>> find_strings(std::string_view key) const {
    return find_as<std::vector<std::string_view>>(key);
  }
  std::optional<std::vector<int32_t>> find_i32s(std::string_view key) const {
    return find_as<std::vector<int32_t>>(key);
  }
  std::optional<std::vector<float>> find_f32s(std::string_view key) const {
    return find_as<std::vector<float>>(key);
  }
  std::optional<std::vector<double>> find_f64s(std::string_view key) const {
    return find_as<std::vector<double>>(key);
  }
  std::optional<std::vector<uint8_t>> find_u8s(std::string_view key) const {
    return find_as<std::vector<uint8_t>>(key);
  }

  std::string_view get_string(std::string_view key) const { return get_as<std::string_view>(key); }
  bool get_bool(std::string_view key) const { return get_as<bool>(key); }
  uint32_t get_u32(std::string_view key) const { return get_as<uint32_t>(key); }
  int32_t get_i32(std::string_view key) const { return get_as<int32_t>(key); }
  uint64_t get_u64(std::string_view key) const { return get_as<uint64_t>(key); }
  float get_f32(std::string_view key) const { return get_as<float>(key); }
  std::vector<std::string_view> get_strings(std::string_view key) const {
    return get_as<std::vector<std::string_view>>(key);
  }
  std::vector<int32_t> get_i32s(std::string_view key) const { return get_as<std::vector<int32_t>>(key); }
  std::vector<float> get_f32s(std::string_view key) const { return get_as<std::vector<float>>(key); }
  std::vector<uint8_t> get_u8s(std::string_view key) const { return get_as<std::vector<uint8_t>>(key); }

  /// Reads the whole file and compares it with the checksum written by the converter: Error InvalidFile when
  /// a byte has changed. Runs at memory or disk speed; not part of opening. `keep_going` is asked now and
  /// then; false is Error Cancelled.
  void verify(const std::function<bool()> &keep_going = {}) const;

private:
  template <class T> std::optional<T> find_as(std::string_view key) const;
  template <class T> T get_as(std::string_view key) const;
  void join_planes(const std::vector<GgufTensor> &planes);
  void check_metadata();

  MappedFile map_;
  std::vector<MetaEntry> metadata_;
  std::vector<TensorInfo> tensors_;
  std::vector<std::string_view> graph_names_;
  std::vector<uint32_t> metadata_by_key_, tensors_by_name_; // indices, sorted
};

} // namespace fovea
