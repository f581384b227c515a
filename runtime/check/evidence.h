// Evidence: one statement of a graph with everything that it takes, in a flat file of its own: the case
// (check/kernel_case.h) as metadata, its graph, the model's tensors as they are, and the values of inputs and
// states. `fovea verify` runs every statement from such a file, so that the one it keeps shows what it saw.
//
// Functions; thread-safe. Throw InvalidFile for a file that is none or does not fit itself, Io.
#pragma once

#include "check/case_runner.h"
#include "exec/model.h"

namespace fovea::check {

struct Evidence {
  KernelCase made; // with the steps as they were
  HostTensors inputs, states;
};

/// `from`: the file that the case's tensors are in, by KernelCase::origin.
void write_evidence(const std::string &path, const Evidence &evidence, const ModelFile &from);
/// Whether a file says that it is one.
bool is_evidence(const ModelFile &file);
Evidence read_evidence(const Model &model);

/// What a device, or the reference, makes of it.
struct Made {
  HostTensors outputs, states;
  std::vector<vk::KernelVariant> kernels; // none of the reference
  std::string fault;                      // memory behind the results was written
};
Made run_on_reference(const Model &model, const Evidence &evidence);
/// `as_recorded`: by the kernels of the case, where the device has them; else by those that it takes itself.
/// Throws what Session throws.
Made run_on_device(const std::shared_ptr<vk::Device> &device, const std::shared_ptr<const Model> &model,
                   const Evidence &evidence, bool as_recorded, const std::atomic<bool> *cancel);
/// The outputs, then the states. Unknown when `want` is not finite.
CaseResult compare(const Made &got, const Made &want, const KernelCase &of);

} // namespace fovea::check
