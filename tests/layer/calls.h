// What calls.cpp offers through the Interface. Any thread.
#pragma once

#include "layer/interface.h"

namespace fovea::layer {

uint32_t n_functions();
Function function(uint32_t index);
void fail_call(const char *name, uint64_t k, int32_t result, bool for_ever);
uint64_t n_failed();

} // namespace fovea::layer
