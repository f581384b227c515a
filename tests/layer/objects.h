// What objects.cpp offers through the Interface. Any thread.
#pragma once

#include <cstdint>

namespace fovea::layer {

uint64_t live_objects();
uint64_t live_bytes();
void forget_live();

} // namespace fovea::layer
