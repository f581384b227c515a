// What makes a GGUF container a Fovea flat file: metadata keys and plane names, shared by the reader and the
// writer.
#pragma once

#include "format/gguf.h"

namespace fovea {

inline constexpr uint32_t kFormatVersion = 1;
inline constexpr std::string_view kFormatVersionKey = "fovea.format_version"; // u32
inline constexpr std::string_view kChecksumKey = "fovea.checksum"; // u64, of the file with zeros in its place
inline constexpr std::string_view kGraphPrefix = "fovea.graph.";   // string
inline constexpr std::string_view kCodePlane = ":q";               // packed integers in I32 words
inline constexpr std::string_view kScalePlane = ":s";              // F16, one a group

/// The container tensors of `name`: one, or for a quantized encoding the code plane and the scale plane.
/// Offsets are 0.
std::vector<std::pair<std::string, TensorType>> planes_of(std::string_view name, const TensorType &type);

/// The logical type of a code plane and its scale plane; nothing when they fit no encoding.
std::optional<TensorType> type_of_planes(const GgufTensor &codes, const GgufTensor &scales);

} // namespace fovea
