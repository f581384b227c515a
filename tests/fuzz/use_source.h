// What convert() does with a source before it writes, and its tensors read. Throws what those throw.
#pragma once

#include "converter/sources/source.h"

namespace fovea::fuzz {

/// The end of each tensor.
void read_tensors(const Source &source);
void use_source(const Source &source, uint32_t variant);

} // namespace fovea::fuzz
