// What modules.cpp offers through the Interface. Any thread.
#pragma once

#include <cstdint>

namespace fovea::layer {

void miscompile(uint64_t module_hash, uint32_t word, uint32_t change);

} // namespace fovea::layer
