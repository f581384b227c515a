// Program: a Plan bound to buffers and recorded once; run() writes the step values, submits and waits. It
// allocates nothing and records nothing.
//
// It is recorded in parts, each short enough for any watchdog. The first run takes as many of them into a
// submit as the plan's estimates allow; later ones as many as took 0.1 s together when they last ran.
//
// Owns its recording and its host-visible input, step and output memory; scratch, state and weights are the
// Session's. One thread at a time. Throws DeviceLost, Timeout, Cancelled; Internal for an unknown name.
#pragma once

#include "exec/device_weights.h"

#include <atomic>

namespace fovea {

/// What a run may be limited by.
struct RunControl {
  std::chrono::milliseconds timeout{0};      // of each submit; 0: from the estimated work
  const std::atomic<bool> *cancel = nullptr; // looked at between submits (at most about 0.1 s each)
};

struct DispatchProfile {
  std::string statement; // "linear = h.3"
  std::string kernel;
  double gpu_time_ns = 0;
  uint64_t flops = 0, bytes = 0; // bytes: of all bindings
};

class Program {
public:
  struct Memory {
    const DeviceWeights *weights = nullptr;
    const vk::Buffer *state = nullptr, *scratch = nullptr;
  };
  Program(std::shared_ptr<vk::Device> device, Plan plan, const Memory &memory, bool timestamps);

  const Plan &plan() const { return plan_; }
  /// Host memory of an input, to be filled before run(): plan().inputs[…].type.bytes() bytes.
  std::span<std::byte> input(std::string_view name);
  template <class T> void set_input(std::string_view name, std::span<const T> values) {
    set_input_bytes(name, std::as_bytes(values));
  }
  /// Step values keep what they were set to; 0 at first.
  void set_step(std::string_view name, uint32_t value);
  /// Error NotFound.
  uint32_t step(std::string_view name) const;
  /// The inputs and steps of a program with the same ones.
  void copy_inputs(const Program &from);
  void run(const RunControl &control = {});
  /// What the last run computed; valid until the next run.
  std::span<const std::byte> output(std::string_view name) const;
  template <class T> std::span<const T> output_as(std::string_view name) const {
    const auto bytes = output(name);
    return {reinterpret_cast<const T *>(bytes.data()), bytes.size() / sizeof(T)};
  }
  const TensorType &output_type(std::string_view name) const;
  /// Of the last run, when made with timestamps.
  std::vector<DispatchProfile> profile() const;
  uint64_t host_bytes() const { return inputs_.size_bytes() + (outputs_ ? outputs_.size_bytes() : 0); }

private:
  void record(const Memory &memory, bool timestamps);
  void set_input_bytes(std::string_view name, std::span<const std::byte> bytes);
  struct Part {
    double planned_s = 0, measured_s = 0; // 0: not yet
  };

  std::shared_ptr<vk::Device> device_;
  Plan plan_;
  vk::Buffer inputs_;  // step values first, then the inputs
  vk::Buffer outputs_; // read back
  std::vector<uint64_t> output_offsets_;
  vk::Recording recording_;
  std::vector<Part> parts_;
  std::vector<uint32_t> first_launch_; // by dispatch; a launch for each of its pieces
  vk::Fence fence_;
};

} // namespace fovea
