// The safetensors container: a JSON header that says where each tensor lies, then the bytes.
// Pure functions; errors name the file and the tensor. The header is hostile until checked: its length,
// depth, names, dtypes, shapes and offsets.
#pragma once

#include "converter/sources/source.h"

namespace fovea {

/// Adds the file's tensors to `source`. Errors: InvalidFile, Unsupported (a dtype).
void add_safetensors(Source &source, InputFile file);

} // namespace fovea
