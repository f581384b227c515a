// GgufWriter: writes a flat file, tensor by tensor, in one pass.
//
// Owns the AtomicFile: the final name appears at commit() or not at all. One thread. Memory: the metadata.
// First add metadata and tensors, then write() every tensor's bytes in the order declared, then commit().
// Errors: InvalidArgument for names or sizes the format cannot hold, Io from the disk, Internal when bytes
// and declarations disagree. Rejected: seeking back to fill in tensors (planes of one tensor come in order
// anyway).
#pragma once

#include "base/mapped_file.h"
#include "format/checksum.h"
#include "format/gguf.h"

#include <variant>

namespace fovea {

/// A metadata value to write. `std::string` values should be UTF-8.
using MetaData =
    std::variant<bool, uint32_t, int32_t, uint64_t, float, std::string, std::vector<std::string>,
                 std::vector<int32_t>, std::vector<float>, std::vector<double>, std::vector<uint8_t>>;

class GgufWriter {
public:
  /// Creates the temporary file at once, so that an unwritable target fails before any work.
  explicit GgufWriter(const std::string &path);

  void add(std::string_view key, const MetaData &value);
  void add_graph(std::string_view name, std::string text);
  /// Declares the next tensor; quantized encodings become their code plane, then their scale plane.
  void add_tensor(std::string_view name, const TensorType &type);

  /// Size of the file when all is written.
  uint64_t total_bytes() const;

  /// Appends to the current plane; a plane's bytes may come in any number of calls, but no call crosses its
  /// end.
  void write(std::span<const std::byte> bytes);
  /// All planes must be complete. Error Io when the disk refuses.
  void commit();

private:
  struct Plane {
    std::string name;
    uint64_t bytes, padded_bytes;
  };
  void check_open(std::string_view what) const;
  template <class T> void put(const T &value);
  void put_text(std::string_view text);
  void put_value(const MetaData &value);
  void emit(std::span<const std::byte> bytes);
  void write_header();

  std::string path_;
  AtomicFile file_;
  Checksum checksum_;
  std::string metadata_, tensor_table_; // encoded as in the file
  uint64_t n_metadata_ = 0, data_start_ = 0, data_bytes_ = 0, checksum_at_ = 0;
  std::vector<std::string> keys_; // in order of addition
  std::vector<Plane> planes_;
  size_t plane_ = 0;      // the one being written
  uint64_t in_plane_ = 0; // bytes of it so far
  bool header_written_ = false;
};

} // namespace fovea
