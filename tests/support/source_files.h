// Writers of small source models for tests: independent of the readers, so that both would have to be wrong
// alike.
#pragma once

#include "base/error.h"

#include <cstring>
#include <string>
#include <vector>

namespace fovea::test {

template <class T> std::string raw(const std::vector<T> &values) {
  return {reinterpret_cast<const char *>(values.data()), values.size() * sizeof(T)};
}
template <class T> std::string raw(T value) { return raw(std::vector<T>{value}); }

struct RawTensor {
  std::string name, dtype; // "F32"
  std::vector<uint64_t> shape;
  std::string bytes;
};

inline RawTensor f32_tensor(std::string name, std::vector<uint64_t> shape, const std::vector<float> &values) {
  return {std::move(name), "F32", std::move(shape), raw(values)};
}

/// A safetensors file from a header and the bytes behind it.
inline std::string safetensors(const std::string &header, const std::string &data) {
  return raw(uint64_t(header.size())) + header + data;
}

inline std::string safetensors(const std::vector<RawTensor> &tensors) {
  std::string header = "{\"__metadata__\":{\"format\":\"pt\"}", data;
  for (const RawTensor &t : tensors) {
    header += concat(",\"", t.name, "\":{\"dtype\":\"", t.dtype, "\",\"shape\":[");
    for (size_t i = 0; i < t.shape.size(); ++i) header += concat(i ? "," : "", t.shape[i]);
    header += concat("],\"data_offsets\":[", data.size(), ",");
    data += t.bytes;
    header += concat(data.size(), "]}");
  }
  return safetensors(header + "}", data);
}

struct GgmlTensor {
  std::string name;
  int32_t type;               // 0 f32, 1 f16
  std::vector<int32_t> shape; // outermost first
  std::string bytes;
};

/// A whisper.cpp file: hyperparameters in file order (eleven), mel filters [n_mel, n_fft], tokens, tensors.
inline std::string whisper_ggml(const std::vector<int32_t> &hyperparameters, int32_t n_mel, int32_t n_fft,
                                const std::vector<float> &filters, const std::vector<std::string> &tokens,
                                const std::vector<GgmlTensor> &tensors) {
  std::string out = raw(uint32_t(0x67676d6c)) + raw(hyperparameters) + raw(n_mel) + raw(n_fft) + raw(filters);
  out += raw(int32_t(tokens.size()));
  for (const std::string &token : tokens) out += raw(uint32_t(token.size())) + token;
  for (const GgmlTensor &t : tensors) {
    out += raw(int32_t(t.shape.size())) + raw(int32_t(t.name.size())) + raw(t.type);
    for (size_t i = t.shape.size(); i-- > 0;) out += raw(t.shape[i]);
    out += t.name + t.bytes;
  }
  return out;
}

} // namespace fovea::test
