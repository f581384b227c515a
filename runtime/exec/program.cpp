#include "exec/program.h"

#include "base/checked.h"
#include "exec/kernel_variant.h"

#include <algorithm>
#include <cstring>

namespace fovea {
namespace {

constexpr uint64_t kStepBytes = 256;     // StepParams at the front of the input memory; keeps inputs aligned
constexpr uint32_t kStepBinding = 4;     // shaders/include/step.glsl
constexpr uint64_t kPartFlops = 1 << 28; // recorded parts are this fine; how many go into a submit is learned

template <class Values>
auto &find_value(Values &values, std::string_view name, const char *kind, const std::string &graph) {
  const auto it =
      std::find_if(values.begin(), values.end(), [&](const PlanValue &v) { return v.name == name; });
  if (it == values.end())
    fail(ErrorCode::NotFound, "graph '", graph, "' has no ", kind, " '", name, "' in this plan");
  return *it;
}

} // namespace

SubmitBudget::SubmitBudget(const DeviceCaps &caps)
    : flops_per_s_(caps.type == DeviceType::Software ? 2e10 : 2e11),
      // A software driver compiles kernels within the submit that first uses them: seconds for each.
      grace_(caps.type == DeviceType::Software ? 300'000 : 30'000) {}

void SubmitBudget::learn(uint64_t flops, double seconds) {
  // Small runs are all overhead and say nothing about the rate.
  if (flops > kPartFlops / 4 && seconds > 0)
    flops_per_s_ = 0.5 * flops_per_s_ + 0.5 * std::clamp(double(flops) / seconds, 1e8, 1e14);
}

Program::Program(std::shared_ptr<vk::Device> device, Plan plan, const Memory &memory, bool timestamps)
    : device_(std::move(device)), plan_(std::move(plan)), fence_(device_->fence()) {
  inputs_ = device_->allocate(vk::MemoryKind::Shared, kStepBytes + plan_.input_bytes, "inputs");
  std::memset(inputs_.data(), 0, inputs_.size_bytes());
  inputs_.flush(0, inputs_.size_bytes());
  uint64_t bytes = 0;
  for (const PlanValue &out : plan_.outputs) {
    output_offsets_.push_back(bytes);
    bytes += align_up(out.type.bytes(), 256);
  }
  if (bytes) outputs_ = device_->allocate(vk::MemoryKind::Readback, bytes, "outputs");
  record(memory, timestamps);
}

void Program::record(const Memory &memory, bool timestamps) {
  vk::Recorder recorder = device_->recorder(timestamps);
  parts_.assign(1, {});
  const auto bind = [&](const Binding &b) -> vk::Binding {
    switch (b.space) {
    case Space::Weights: return memory.weights->bind(b.slot, b.offset, b.bytes);
    case Space::State: return {b.slot, memory.state, b.offset, b.bytes};
    case Space::Scratch: return {b.slot, memory.scratch, b.offset, b.bytes};
    case Space::Input: return {b.slot, &inputs_, kStepBytes + b.offset, b.bytes};
    }
    fail(ErrorCode::Internal, "unknown memory space");
  };
  for (const Dispatch &d : plan_.dispatches) {
    if (parts_.back().flops > 0 && parts_.back().flops + d.flops > kPartFlops) {
      recorder.split();
      parts_.emplace_back();
    }
    parts_.back().flops += d.flops;
    if (d.barrier_before) recorder.barrier(vk::Hazard::ComputeToCompute);
    const vk::Kernel &kernel = device_->kernels().get(kernel_variant(device_->caps(), d));
    vk::DispatchCommand command{&kernel, {}, {}, d.groups, nullptr, 0};
    for (const Binding &b : d.bindings) {
      command.bindings.push_back(bind(b));
      // Whole texels: memory of every kind goes on for that long.
      const vk::KernelBinding *declared = kernel.interface().find(b.slot);
      if (declared && declared->type == vk::BindingType::TexelBuffer)
        command.bindings.back().size_bytes = align_up(b.bytes, vk::texel_bytes(declared->texel));
    }
    if (kernel.interface().find(kStepBinding))
      command.bindings.push_back({kStepBinding, &inputs_, 0, kMaxSteps * sizeof(uint32_t)});
    const auto push = std::as_bytes(std::span(d.push));
    command.push_constants.assign(push.begin(), push.end());
    recorder.dispatch(std::move(command));
  }
  if (outputs_) {
    recorder.barrier(vk::Hazard::ComputeToTransfer);
    for (size_t i = 0; i < plan_.outputs.size(); ++i)
      recorder.copy(*memory.scratch, plan_.outputs[i].offset, outputs_, output_offsets_[i],
                    align_up(plan_.outputs[i].type.bytes(), 4));
    recorder.barrier(vk::Hazard::TransferToHost);
  }
  // A run may follow another on the same queue without the host in between; its first dispatches must see the
  // states the last one wrote and must not overwrite scratch that it still reads.
  recorder.barrier(vk::Hazard::ComputeToCompute | vk::Hazard::TransferToCompute);
  recording_ = recorder.finish();
}

std::span<std::byte> Program::input(std::string_view name) {
  const PlanValue &v = find_value(plan_.inputs, name, "input", plan_.graph);
  return {inputs_.data() + kStepBytes + v.offset, v.type.bytes()};
}

void Program::set_input_bytes(std::string_view name, std::span<const std::byte> bytes) {
  const std::span<std::byte> to = input(name);
  if (bytes.size() != to.size())
    fail(ErrorCode::InvalidArgument, "input '", name, "' takes ", to.size(), " bytes, got ", bytes.size());
  std::memcpy(to.data(), bytes.data(), bytes.size());
}

void Program::set_step(std::string_view name, uint32_t value) {
  const auto it = std::find(plan_.steps.begin(), plan_.steps.end(), name);
  if (it == plan_.steps.end())
    fail(ErrorCode::NotFound, "graph '", plan_.graph, "' has no step '", name, "'");
  const auto slot = size_t(it - plan_.steps.begin());
  if (value > plan_.step_limits[slot])
    fail(ErrorCode::InvalidArgument, "graph '", plan_.graph, "': ", name, "=", value,
         " is past the end of the state (at most ", plan_.step_limits[slot], ")");
  std::memcpy(inputs_.data() + slot * sizeof value, &value, sizeof value);
}

uint32_t Program::step(std::string_view name) const {
  const auto it = std::find(plan_.steps.begin(), plan_.steps.end(), name);
  if (it == plan_.steps.end())
    fail(ErrorCode::NotFound, "graph '", plan_.graph, "' has no step '", name, "'");
  uint32_t value = 0;
  std::memcpy(&value, inputs_.data() + size_t(it - plan_.steps.begin()) * sizeof value, sizeof value);
  return value;
}

void Program::copy_inputs(const Program &from) {
  std::memcpy(inputs_.data(), from.inputs_.data(), std::min(inputs_.size_bytes(), from.inputs_.size_bytes()));
}

void Program::run(SubmitBudget &budget, const RunControl &control) {
  inputs_.flush(0, inputs_.size_bytes());
  const auto parts = recording_.parts();
  const auto whole_begin = std::chrono::steady_clock::now();
  uint64_t whole = 0;
  for (size_t first = 0; first < parts.size();) {
    size_t last = first + 1;
    uint64_t flops = parts_[first].flops;
    while (last < parts.size() && flops + parts_[last].flops <= budget.flops()) flops += parts_[last++].flops;
    if (control.cancel && control.cancel->load()) fail(ErrorCode::Cancelled, "the run was cancelled");
    // The flag is looked at between submits, which are short, not within: memory that the device still works
    // on must not be written by the next run. For the same reason, what a timeout left running is waited for
    // first.
    vk::WaitOptions wait;
    wait.timeout = control.timeout.count() > 0 ? control.timeout : budget.timeout(flops);
    fence_.wait(wait);
    fence_.submit(parts.subspan(first, last - first));
    fence_.wait(wait);
    whole += flops;
    first = last;
  }
  budget.learn(whole, std::chrono::duration<double>(std::chrono::steady_clock::now() - whole_begin).count());
  if (outputs_) outputs_.invalidate(0, outputs_.size_bytes());
}

std::span<const std::byte> Program::output(std::string_view name) const {
  const PlanValue &v = find_value(plan_.outputs, name, "output", plan_.graph);
  return {outputs_.data() + output_offsets_[size_t(&v - plan_.outputs.data())], v.type.bytes()};
}

const TensorType &Program::output_type(std::string_view name) const {
  return find_value(plan_.outputs, name, "output", plan_.graph).type;
}

std::vector<DispatchProfile> Program::profile() const {
  std::vector<DispatchProfile> rows;
  if (!recording_.has_timestamps()) return rows;
  std::vector<vk::DispatchTime> times(plan_.dispatches.size());
  recording_.read_times(0, times);
  for (size_t i = 0; i < times.size(); ++i) {
    const Dispatch &d = plan_.dispatches[i];
    DispatchProfile row{plan_.statement_text[d.statement], to_string(d.kernel),
                        times[i].end_ns - times[i].begin_ns, d.flops, 0};
    for (const Binding &b : d.bindings) row.bytes += b.bytes;
    rows.push_back(std::move(row));
  }
  return rows;
}

} // namespace fovea
