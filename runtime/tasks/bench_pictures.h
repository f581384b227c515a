// Pictures for measurements. Functions; thread-safe. Errors: those of bench().
#pragma once

#include "image/image.h"
#include "tasks/bench_strategy.h"
#include "tasks/run_graphs.h"

namespace fovea {

/// Colours that change along both sides, under noise; the same everywhere.
Image bench_picture(uint32_t width, uint32_t height);

/// run_model(), with every graph's program timed as a stage of its name; `preprocess` has the picture's size
/// in it too.
NamedTensors time_graphs(BenchJob &job, Session &session, RunRequest request);

} // namespace fovea
