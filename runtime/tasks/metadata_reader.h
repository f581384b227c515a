// MetadataReader: numbers of a file's metadata within bounds. Pure; any thread. Throws InvalidFile naming
// file and key, what was found and what was expected; NotFound for a key that is not there.
#pragma once

#include "format/model_file.h"

namespace fovea {

class MetadataReader {
public:
  explicit MetadataReader(const ModelFile &file) : file_(file) {}

  uint32_t size(std::string_view key, uint32_t least, uint32_t most) const {
    const uint32_t value = file_.get_u32(key);
    if (value < least || value > most) reject(key, value, concat(least, " to ", most));
    return value;
  }
  /// An id below n_vocabulary, or -1 when it is not required.
  int32_t token(std::string_view key, uint32_t n_vocabulary, bool required) const {
    const int32_t id = file_.get_i32(key);
    if (id < (required ? 0 : -1) || id >= int64_t(n_vocabulary))
      reject(key, id, concat("an id below ", n_vocabulary, required ? "" : ", or -1"));
    return id;
  }
  template <class T>
  [[noreturn]] void reject(std::string_view key, const T &found, std::string_view expected) const {
    fail(ErrorCode::InvalidFile, file_.path(), ": ", key, " is ", found, ", expected ", expected);
  }

private:
  const ModelFile &file_;
};

} // namespace fovea
