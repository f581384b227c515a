// What fences.cpp offers through the Interface. Any thread.
#pragma once

#include <cstdint>

namespace fovea::layer {

void delay_fences(uint32_t ms);

} // namespace fovea::layer
