// The list of known ops: what parse_graph() accepts. Constant data.
#pragma once

#include "graph/op.h"

namespace fovea {

OpTable op_table();

} // namespace fovea
