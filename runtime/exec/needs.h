// What a library must hold to run a model on any device, for builds that leave out the rest
// (FOVEA_KERNELS_FOR): the ops that its graphs name, and the kernels that plans of them take on forged
// devices of many kinds, at sizes from one row to many, and again with those disabled, since a driver may
// refuse a kernel. No GPU is touched. Thread-safe. Throws Unsupported for a graph that cannot be planned at
// any of the sizes tried. Rejected: running the model where it is built, and noting what was launched (one
// device's kernels, one recording's sizes).
#pragma once

#include "exec/model.h"

#include <set>

namespace fovea {

struct Needs {
  std::set<std::string> ops;
  std::set<KernelId> kernels;
};

Needs needs_of(const Model &model);

} // namespace fovea
