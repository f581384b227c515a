// How a device gets its gate. Thread-safe.
#pragma once

#include "exec/kernel_gate.h"

#include <chrono>
#include <optional>

namespace fovea::check {

enum class Mode : uint8_t { Here, Child };

struct GateOptions {
  Mode mode = Mode::Here;
  std::string program;              // for Mode::Child: see run_in_child()
  std::chrono::seconds patience{0}; // see RunOptions
};

/// A Gate (check/gate.h) for a device with these limits, as its driver says; nothing in a library for certain
/// models (FOVEA_KERNELS_FOR), which has no reference to compare with.
std::shared_ptr<KernelGate> make_gate(const DeviceCaps &caps, const std::string &folder,
                                      const GateOptions &options);

/// FOVEA_CHECK: "child" or "here"; "skip", for which there is no gate, is nothing. Unset: child if there is a
/// program for it, else here. Error InvalidArgument for anything else.
std::optional<Mode> mode_from_environment(bool has_program);

} // namespace fovea::check
