// `fovea tune`: the choices among kernels that a model's stages make, or a standard set of shapes, measured
// on a device (tuner.h). One thread. Throws Unsupported for a file without a task, and what Tuner and bench()
// throw.
#pragma once

#include "tasks/tuner.h"

namespace fovea {

struct TuneRun {
  TuneOptions tuner;
  ModelOptions model;
};

/// By the stages that bench() times.
void tune_model(Tuner &tuner, std::shared_ptr<vk::Device> device, const std::string &model_path,
                const TuneRun &options);
/// A graph and the sizes to run it at.
struct StandardGraph {
  std::string name, text;
  std::vector<Bindings> sizes;
};
std::vector<StandardGraph> standard_graphs();
/// These: products and attentions of the sizes that small and middling models have, on random weights,
/// written to a temporary file meanwhile.
void tune_standard_shapes(Tuner &tuner, std::shared_ptr<vk::Device> device, const TuneRun &options);

} // namespace fovea
