// What hazards.cpp offers through the Interface. Any thread.
#pragma once

#include "layer/interface.h"

namespace fovea::layer {

void check_hazards(HazardMode mode, bool dry);
void drop_barrier(uint64_t k);
HazardCounts hazard_counts();

} // namespace fovea::layer
