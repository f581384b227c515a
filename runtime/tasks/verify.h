// `fovea verify`: a model's graphs, statement by statement, on a device and by the scalar reference (or on
// another device), to find the first op that gives what it should not. Every statement is given what the
// reference (the other device) computed before it, and not what this device did: so that the op at fault is
// named and not one that follows from it, and errors do not add up. It runs by the kernels that the model's
// own plan has for it, from a file (check/evidence.h), which is kept when the statement is at fault.
//
// One thread. Throws what run_model() throws, Cancelled, Io.
#pragma once

#include "check/case_runner.h"
#include "tasks/run_graphs.h"

namespace fovea {

struct VerifyOptions {
  NamedTensors inputs; // what is missing is drawn, always the same
  std::string graph;   // as in RunRequest
  std::map<std::string, uint32_t> steps;
  std::shared_ptr<vk::Device> against; // none: the reference
  std::string folder = ".";            // where the statement at fault is kept
  size_t n_statements = 0;             // compared of each graph, the first ones; 0: all
  const std::atomic<bool> *cancel = nullptr;
  /// Before each statement.
  std::function<void(const std::string &what, size_t n_done, size_t n_total)> progress;
};

struct Verified {
  std::string graph, statement, op, shapes;
  std::vector<vk::KernelVariant> kernels;
  check::CaseResult result;
};

struct Verification {
  std::vector<Verified> rows; // in order; the last one is at fault, if any
  bool at_fault = false;
  std::string kept;    // the file, of a statement at fault
  size_t n_left = 0;   // beyond n_statements
  size_t n_apart = 0;  // that cannot be run by themselves
  bool drawn = false;  // not all inputs were given
  bool others = false; // of a kept statement: by other kernels than recorded
};

/// A file that verify() kept runs as it is; a model by its graphs.
Verification verify(const std::shared_ptr<vk::Device> &device, const std::shared_ptr<const Model> &model,
                    const VerifyOptions &options);

} // namespace fovea
