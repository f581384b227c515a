// Session: what a task holds to run a model's graphs on a device: weights (shared), state, scratch, and
// programs made on demand and kept by their sizes.
//
// Owns state and scratch. One thread at a time; many sessions per Device. Throws InvalidGraph, Unsupported,
// OutOfMemory, DeviceLost, Timeout, Cancelled, InvalidArgument. Rejected: one arena per program (memory grows
// with prompt lengths): programs share one, and are recorded again when it has to grow.
#pragma once

#include "exec/program.h"
#include "graph/host_tensor.h"
#include "graph/plan_work.h"

#include <list>
#include <map>

namespace fovea {

struct SessionOptions {
  /// Sizes of the symbols that shape states (e.g. B, the number of sequences decoded side by side); symbols
  /// of inputs are bound per program.
  Bindings bindings;
  bool timestamps = false; // for Program::profile()
  /// Of the states that attention reads keys and values from: f32, f16 or q8 (shaders/quantize_rows.comp);
  /// nothing: as the file says.
  std::optional<Encoding> cache;
  /// Clamps the device's limits, or disables kernels, before anything is planned.
  std::function<void(DeviceCaps &)> adjust_caps;
  bool gated = true; // ask the device's KernelGate, if there is one
};

struct MemoryUse {
  uint64_t weights_bytes = 0, state_bytes = 0, scratch_bytes = 0, io_bytes = 0;
};

class Session {
public:
  Session(std::shared_ptr<vk::Device> device, std::shared_ptr<const Model> model,
          std::shared_ptr<const DeviceWeights> weights, SessionOptions options = {});

  const Model &model() const { return *model_; }
  const DeviceCaps &caps() const { return caps_; }
  /// The program of a graph at given sizes, made at first use. Valid until another program needs a larger
  /// arena or the least recently used of many is dropped: do not keep it across calls of program().
  Program &program(std::string_view graph, const Bindings &sizes = {},
                   const std::set<std::string> &outputs = {});
  /// Says that the program will be wanted: plans it, and begins to create its kernels on another thread
  /// (KernelCache::create_ahead). To be called in the order of need. An error is not told before program().
  void expect(std::string_view graph, const Bindings &sizes = {}, const std::set<std::string> &outputs = {});
  /// Whether it is made.
  bool has_program(std::string_view graph, const Bindings &sizes = {},
                   const std::set<std::string> &outputs = {}) const;
  void run(Program &program, const RunControl &control = {}) { program.run(control); }
  /// Zeroes the states.
  void reset();
  MemoryUse memory() const;

  /// For tests and checks: every word of the arena becomes `word` (before the first run of a program: after
  /// program()); the arena's bytes, of which the last kGuardBytes belong to no tensor.
  static constexpr uint64_t kGuardBytes = 1024;
  void fill_scratch(uint32_t word);
  std::vector<std::byte> read_scratch();
  /// The values of a state. Error NotFound.
  HostTensor read_state(const std::string &name);
  /// Of the state's own type. Errors NotFound, InvalidArgument.
  void write_state(const std::string &name, const HostTensor &values);

  // For measurements (session_measure.cpp). Ranges lie in the state or in the arena, whole words.
  vk::Device &device() const { return *device_; }
  /// A program of dispatches that the caller has chosen, over this session's memory: valid until a program
  /// that needs a larger arena is made. It has inputs of its own: Program::copy_inputs().
  Program assemble(Plan plan) const;
  /// The plan of the same graph, sizes and outputs with a table in place of the device's; or with none.
  Plan plan_with(const Plan &plan, std::shared_ptr<const TuningTable> tuning) const;
  /// What the dispatches of a program must do with the step values it has now.
  std::vector<DispatchWork> work(const Program &program) const;
  std::vector<std::byte> read(const Binding &range);
  void write(const Binding &range, std::span<const std::byte> bytes);
  void fill(const Binding &range, uint32_t word);

private:
  std::vector<std::byte> read_back(const vk::Buffer &buffer, uint64_t offset, uint64_t bytes);
  Plan plan(const Graph &graph, const Bindings &sizes, const std::set<std::string> &outputs);
  /// Disables what must not run or cannot be built. Whether there was any.
  bool disable(std::span<const vk::KernelFailure> failures);
  Plan plan_with_kernels(std::optional<Plan> expected, const Graph &graph, const Bindings &sizes,
                         const std::set<std::string> &outputs);
  void grow_scratch(uint64_t bytes);
  void fill(const vk::Buffer &buffer, uint32_t word);
  void submit(vk::Recorder recorder);
  const vk::Buffer &memory_of(Space space) const;

  std::shared_ptr<vk::Device> device_;
  std::shared_ptr<const Model> model_;
  std::shared_ptr<const DeviceWeights> weights_;
  const Graph &graph(std::string_view name) const;

  SessionOptions options_;
  std::vector<Graph> graphs_;               // with options_.cache the model's, changed; else none
  DeviceCaps caps_;                         // the device's, less kernels that failed
  std::vector<std::string> failed_kernels_; // and why
  StateLayout states_;
  vk::Buffer state_, scratch_;
  struct Key {
    std::string graph;
    Bindings sizes;
    std::set<std::string> outputs;
    friend auto operator<=>(const Key &, const Key &) = default;
  };
  std::list<std::pair<Key, Program>> programs_; // most recently used first
  std::map<Key, Plan> expected_;
};

} // namespace fovea
