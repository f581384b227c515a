// Inputs for a model's graphs when nobody gives any: numbers from a fixed random sequence, and sizes for the
// symbols that fit the graphs. Pure; thread-safe. Throws InvalidArgument, with the inputs there are, where no
// sizes fit; what run_model() throws for a model that does not say what to run.
#pragma once

#include "tasks/run_graphs.h"

namespace fovea {

/// Adds what the graphs take and `request` lacks. Whether there was anything.
bool draw_inputs(const Model &model, RunRequest &request);

} // namespace fovea
