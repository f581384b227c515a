// Plans a graph of a stranger's for one of several forged devices, and looks at what comes out as a session
// would. Throws what planning throws; what a plan must never be is a finding.
#pragma once

#include "graph/plan.h"

namespace fovea::fuzz {

/// `variant` chooses the device and the sizes of symbols.
void plan_graph(const Graph &graph, const WeightLookup &weights, uint32_t variant);
/// A number that depends on all of the input, for choices that no byte of it should be spent on.
uint32_t variant_of(std::string_view input);

} // namespace fovea::fuzz
