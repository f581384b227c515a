// Names of activations in configurations. Pure; thread-safe.
#pragma once

#include "converter/json.h"
#include "kernels/select.h"

namespace fovea {

/// "gelu", "gelu_new", "silu", "swish", "relu" … Error Unsupported that names key and value.
Activation read_activation(const Config &config, std::string_view key, const char *fallback);

} // namespace fovea
