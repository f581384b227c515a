// Safetensors files: read as hostile input, written whole or not at all. Functions; thread-safe. Throw
// fovea::Error that names the file and the tensor.
//
// Read: F64, F32, F16, BF16 as f32; I64 as it is; I32, I16, I8, U16, U8, BOOL as i32 (U32 as i64). Ranks up
// to 4.
#pragma once

#include <fovea/fovea.hpp>

#include <string>
#include <vector>

namespace tool {

/// A tensor and what it points to.
struct OwnedTensor {
  std::string name;
  fovea_element element = FOVEA_F32;
  std::vector<uint64_t> shape;
  std::vector<unsigned char> bytes; // of elements: 4 each, 8 for i64
  /// Valid as long as this is neither moved nor changed.
  fovea_tensor view() const;
};

std::vector<OwnedTensor> read_safetensors(const std::string &path);
void write_safetensors(const std::string &path, const std::vector<fovea_tensor> &tensors);

} // namespace tool
