// Tensors and steps that a caller passes, as the library's own. Functions; thread-safe. Throw
// InvalidArgument.
#pragma once

#include "api/guard.h"
#include "tasks/run_graphs.h"

namespace fovea::api {

/// By name; i64 is narrowed.
NamedTensors read_inputs(const fovea_tensor *inputs, size_t n_inputs);
std::map<std::string, uint32_t> read_steps(const fovea_size *steps, size_t n_steps);

} // namespace fovea::api
