// What work.cpp offers through the Interface. Any thread.
#pragma once

#include "layer/interface.h"

namespace fovea::layer {

void measure_work(const WorkLimits &limits);
WorkCounts work_counts();

} // namespace fovea::layer
