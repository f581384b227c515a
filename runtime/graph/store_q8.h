// Rows into a q8 state: the dispatch that the planner appends to an op whose result goes there. Pure.
#pragma once

#include "graph/lowering.h"

namespace fovea {

/// `rows`: f32, [.., T, D]; `state`: the target as it was before the op got scratch in its place.
void store_q8(Lowering &l, const BufferRef &rows, const Shape &shape, const Target &state);

} // namespace fovea
