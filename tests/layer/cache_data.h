// What cache_data.cpp offers through the Interface. Any thread.
#pragma once

#include "layer/interface.h"

namespace fovea::layer {

void damage_cache(CacheDamage out, CacheDamage in, uint64_t where);

} // namespace fovea::layer
