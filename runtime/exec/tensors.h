// Between tensors in host memory and the bytes a device sees. Pure; thread-safe.
#pragma once

#include "format/model_file.h"
#include "graph/host_tensor.h"

namespace fovea {

/// bytes: of a plain encoding (f32, f16, i32), type.bytes() of them.
HostTensor host_tensor(const TensorType &type, std::span<const std::byte> bytes);
/// The inverse; f16 is rounded to nearest even. Error InvalidArgument for a quantized type.
std::vector<std::byte> tensor_bytes(const HostTensor &tensor);
/// The same into `out`, as many bytes as a tensor of these values in `encoding` has.
void write_tensor(const HostTensor &tensor, Encoding encoding, std::span<std::byte> out);
/// A tensor of a file, decoded: for the reference interpreter.
HostTensor read_tensor(const ModelFile &file, const std::string &name);

} // namespace fovea
