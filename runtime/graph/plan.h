// Plan: a graph bound to sizes and to a device's limits: ordered dispatches, arena offsets, barriers. Pure
// data, computed without a GPU, printable. Thread-safe to build and read. Placement: greedy by size over SSA
// lifetimes (Pisarchyk and Lee, "Efficient Memory Management for Deep Neural Net Inference", 2020). Barriers:
// byte-range hazards since the last barrier. Rejected: per-tensor allocations, aliasing by pattern, barriers
// between all dispatches.
#pragma once

#include "graph/graph.h"
#include "graph/lowering.h"

#include <set>

namespace fovea {

/// Tensors of a file by name; nullptr when there is none.
using WeightLookup = std::function<const WeightInfo *(const std::string &name)>;

/// Where the states of a session lie: shared by all of its graphs.
struct StateLayout {
  struct Entry {
    TensorType type;
    uint64_t offset = 0;
  };
  std::map<std::string, Entry> entries;
  uint64_t bytes = 0;
  /// Error InvalidGraph when two graphs declare one state differently.
  static StateLayout of(std::span<const Graph *const> graphs, const Bindings &bindings);
};

struct PlanValue {
  std::string name;
  TensorType type;
  uint64_t offset = 0; // in Space::Input or Space::Scratch
};

struct Plan {
  std::string graph;
  Bindings bindings;
  std::vector<Dispatch> dispatches;
  std::vector<std::string> statement_text; // for dumps and profiles, by Dispatch::statement
  std::vector<PlanValue> inputs, outputs;  // in order of declaration
  std::vector<std::string> steps;          // slot order
  std::vector<uint32_t> step_limits; // largest value of each: rows must fit the states they are stored into
  uint64_t scratch_bytes = 0, input_bytes = 0, state_bytes = 0;
};

struct PlanOptions {
  /// Outputs to compute; empty: all that are not merely offered. Statements that nothing needs are left out.
  std::set<std::string> outputs;
};

/// Error InvalidGraph, or Unsupported when no kernel variant fits the device.
Plan make_plan(const Graph &graph, const Bindings &bindings, const WeightLookup &weights,
               const StateLayout &states, const DeviceCaps &caps, const PlanOptions &options = {});

/// One line per dispatch: kernel, groups, bindings, barrier. Stable: golden-testable.
std::string dump_plan(const Plan &plan);

} // namespace fovea
