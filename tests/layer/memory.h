// What memory.cpp offers through the Interface. Any thread.
#pragma once

#include "layer/interface.h"

namespace fovea::layer {

void set_memory(const MemoryModel &model);

} // namespace fovea::layer
