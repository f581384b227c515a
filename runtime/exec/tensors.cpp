#include "exec/tensors.h"

#include "base/half.h"

#include <cstring>

namespace fovea {

HostTensor host_tensor(const TensorType &type, std::span<const std::byte> bytes) {
  HostTensor out(type);
  if (type.encoding == Encoding::Q4 || bytes.size() != type.bytes())
    fail(ErrorCode::Internal, "cannot read ", type, " from ", bytes.size(), " bytes");
  const auto half_at = [&](size_t at) {
    uint16_t h;
    std::memcpy(&h, bytes.data() + at, 2);
    return half_to_float(h);
  };
  if (type.encoding == Encoding::I32) {
    std::memcpy(out.i.data(), bytes.data(), bytes.size());
  } else if (type.encoding == Encoding::F32) {
    std::memcpy(out.f.data(), bytes.data(), bytes.size());
  } else if (type.encoding == Encoding::Q8) { // a state: its scales follow
    for (size_t i = 0; i < out.f.size(); ++i)
      out.f[i] = float(int8_t(bytes[i])) * half_at(out.f.size() + i / 32 * 2);
  } else {
    for (size_t i = 0; i < out.f.size(); ++i) out.f[i] = half_at(2 * i);
  }
  return out;
}

std::vector<std::byte> tensor_bytes(const HostTensor &tensor) {
  const TensorType &type = tensor.type;
  if (is_quantized(type.encoding))
    fail(ErrorCode::InvalidArgument, "a tensor of ", type, " cannot be given as plain bytes");
  std::vector<std::byte> out(type.bytes());
  write_tensor(tensor, type.encoding, out);
  return out;
}

void write_tensor(const HostTensor &tensor, Encoding encoding, std::span<std::byte> out) {
  const bool integers = encoding == Encoding::I32;
  const size_t n = integers ? tensor.i.size() : tensor.f.size(), each = encoding == Encoding::F16 ? 2 : 4;
  if (out.size() != n * each)
    fail(ErrorCode::Internal, n, " values of ", tensor.type, " as ", encoding, " into ", out.size(),
         " bytes");
  if (integers) {
    std::memcpy(out.data(), tensor.i.data(), out.size());
  } else if (encoding == Encoding::F32) {
    std::memcpy(out.data(), tensor.f.data(), out.size());
  } else {
    for (size_t i = 0; i < n; ++i) {
      const uint16_t h = float_to_half(tensor.f[i]);
      std::memcpy(out.data() + 2 * i, &h, 2);
    }
  }
}

HostTensor read_tensor(const ModelFile &file, const std::string &name) {
  const TensorInfo &info = file.require(name);
  if (info.type.encoding == Encoding::I32) return host_tensor(info.type, file.plane(info));
  HostTensor out(info.type);
  file.decode_rows(info, 0, info.type.shape.rows(), out.f);
  return out;
}

} // namespace fovea
