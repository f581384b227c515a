// Caches of keys and values in another encoding than the file says: memory against precision. Pure.
#pragma once

#include "graph/graph.h"

namespace fovea {

/// The graphs with every state that `attention` reads keys or values from in `encoding` (f32, f16 or q8), all
/// graphs alike. Error Unsupported when another op reads one of them and cannot.
std::vector<Graph> with_cache_encoding(std::vector<Graph> graphs, Encoding encoding);

} // namespace fovea
