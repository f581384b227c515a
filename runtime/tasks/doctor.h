// `fovea doctor`: every kernel that a device would run, and every other that could do the same, on the work
// of a model's stages or on a standard set, compared with the scalar reference and timed. What comes of it is
// stored with the device's other verdicts, which selection obeys.
//
// One thread. Throws what bench() throws for a model that cannot be run at all, Cancelled, OutOfMemory,
// DeviceLost.
#pragma once

#include "check/gate.h"
#include "exec/model.h"

namespace fovea {

struct DoctorOptions {
  ModelOptions model;
  bool quick = false; // at small sizes, without times: what sessions do at first use
  const std::atomic<bool> *cancel = nullptr;
  /// Before each: what it is.
  std::function<void(const std::string &what, size_t n_done, size_t n_total)> progress;
};

/// A kernel, or the kernels of one op, at one shape.
struct Examined {
  std::string statement, shapes;
  std::vector<vk::KernelVariant> variants;
  bool preferred = false; // what selection takes here when nothing fails
  check::CaseResult result;
};

struct Examination {
  std::vector<Examined> rows;
  size_t n_wrong = 0, n_unknown = 0;
};

/// `model_path` empty: the standard set. `gate`: the device's.
Examination examine(std::shared_ptr<vk::Device> device, check::Gate &gate, const std::string &model_path,
                    const DoctorOptions &options);

} // namespace fovea
