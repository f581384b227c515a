// Runs a graph on the CPU with each op's scalar reference: double accumulation, no cleverness. What tests,
// doctor and verify compare a device with. Slow on purpose. Thread-safety: one thread per States object.
// Throws InvalidGraph, InvalidArgument.
#pragma once

#include "graph/graph.h"

namespace fovea {

/// A tensor of the file, dequantized. The interpreter asks once per run for each weight used.
using WeightReader = std::function<HostTensor(const std::string &name)>;
using HostTensors = std::map<std::string, HostTensor>;
using StepValues = std::map<std::string, uint32_t>;

struct ReferenceRun {
  HostTensors outputs;
  HostTensors values; // every intermediate result by name, when asked for
};

/// `states` persists between calls and is created zero-filled; f16 states hold values rounded to binary16.
/// Every input must be given with the type its declaration and `bindings` say.
ReferenceRun run_reference(const Graph &graph, const Bindings &bindings, const WeightReader &weights,
                           const HostTensors &inputs, const StepValues &steps, HostTensors &states,
                           bool keep_values = false);

} // namespace fovea
