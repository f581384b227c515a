// Tensors and steps that a caller passes, as the library's own. Functions; thread-safe. Throw
// InvalidArgument. Here and static, so that a library for certain models has them within the one function
// that it uses.
#pragma once

#include "api/guard.h"
#include "tasks/run_graphs.h"

namespace fovea::api {

/// Elements of the caller's tensor; every size is checked before anything is allocated.
static inline uint64_t count_elements(const fovea_tensor &tensor) {
  if (tensor.rank > 4)
    fail(ErrorCode::InvalidArgument, "input '", tensor.name, "' has rank ", tensor.rank, ", at most 4");
  return Shape(std::span(tensor.shape, tensor.rank)).elements();
}

static inline HostTensor to_host(const fovea_tensor &tensor) {
  const uint64_t n = count_elements(tensor);
  if (n > 0) require(tensor.data, "inputs[].data");
  HostTensor host;
  host.type.shape = Shape(std::span(tensor.shape, tensor.rank));
  host.type.encoding = tensor.element == FOVEA_F32 ? Encoding::F32 : Encoding::I32;
  switch (tensor.element) {
  case FOVEA_F32: {
    const auto *values = static_cast<const float *>(tensor.data);
    host.f.assign(values, values + n);
    return host;
  }
  case FOVEA_I32: {
    const auto *values = static_cast<const int32_t *>(tensor.data);
    host.i.assign(values, values + n);
    return host;
  }
  case FOVEA_I64: {
    const auto *values = static_cast<const int64_t *>(tensor.data);
    host.i.resize(n);
    for (uint64_t i = 0; i < n; ++i) {
      host.i[i] = int32_t(values[i]);
      if (host.i[i] != values[i])
        fail(ErrorCode::InvalidArgument, "input '", tensor.name, "': element ", i, " is ", values[i],
             ", which does not fit 32 bits");
    }
    return host;
  }
  case FOVEA_ELEMENT_32_BITS: break;
  }
  fail(ErrorCode::InvalidArgument, "input '", tensor.name, "' has element type ", int(tensor.element),
       ", expected 0 (f32), 1 (i32) or 2 (i64)");
}

static inline NamedTensors read_inputs(const fovea_tensor *inputs, size_t n_inputs) {
  if (n_inputs) require(inputs, "inputs");
  NamedTensors out;
  for (size_t i = 0; i < n_inputs; ++i)
    if (!out.emplace(require(inputs[i].name, "inputs[].name"), to_host(inputs[i])).second)
      fail(ErrorCode::InvalidArgument, "input '", inputs[i].name, "' is given twice");
  return out;
}

static inline std::map<std::string, uint32_t> read_steps(const fovea_size *steps, size_t n_steps) {
  if (n_steps) require(steps, "steps");
  std::map<std::string, uint32_t> out;
  for (size_t i = 0; i < n_steps; ++i) {
    const fovea_size &step = steps[i];
    if (step.value > UINT32_MAX)
      fail(ErrorCode::InvalidArgument, "step '", require(step.name, "steps[].name"), "' is ", step.value,
           ", which does not fit 32 bits");
    out[require(step.name, "steps[].name")] = uint32_t(step.value);
  }
  return out;
}

} // namespace fovea::api
