#include "exec/program.h"

#include "base/checked.h"
#include "exec/kernel_variant.h"
#include "graph/pieces.h"

#include <algorithm>
#include <cstring>

namespace fovea {
namespace {

constexpr uint64_t kStepBytes = 256; // StepParams at the front of the input memory; keeps inputs aligned
constexpr uint32_t kStepBinding = 4; // shaders/include/step.glsl

template <class Values>
auto &find_value(Values &values, std::string_view name, const char *kind, const std::string &graph) {
  const auto it =
      std::find_if(values.begin(), values.end(), [&](const PlanValue &v) { return v.name == name; });
  if (it == values.end())
    fail(ErrorCode::NotFound, "graph '", graph, "' has no ", kind, " '", name, "' in this plan");
  return *it;
}

/// How long a submit that should take so long may take before it counts as hung.
std::chrono::milliseconds patience(const DeviceCaps &caps, double seconds) {
  // A software driver compiles kernels within the submit that first uses them: seconds for each, minutes for
  // some on a busy machine.
  const int64_t grace = caps.type == DeviceType::Software ? 900'000 : 30'000;
  return std::chrono::milliseconds(grace + int64_t(100'000 * seconds));
}

} // namespace

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
  uint32_t n_launches = 0;
  for (const Dispatch &d : plan_.dispatches) {
    const vk::Kernel &kernel = device_->kernels().get(kernel_variant(device_->caps(), d));
    vk::DispatchCommand command;
    command.kernel = &kernel;
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
    first_launch_.push_back(n_launches);
    const std::vector<Piece> pieces = cut(d.groups, d.n_pieces);
    n_launches += uint32_t(pieces.size());
    for (const Piece &piece : pieces) {
      const double seconds = estimated_seconds(device_->caps(), d, piece.n_groups());
      if (parts_.back().planned_s > 0 && parts_.back().planned_s + seconds > kMostSeconds) {
        recorder.split();
        parts_.emplace_back();
      }
      parts_.back().planned_s += seconds;
      // Pieces do not write the same bytes, but the same bindings.
      if (d.barrier_before || &piece != &pieces[0]) recorder.barrier(vk::Hazard::ComputeToCompute);
      command.groups = piece.groups;
      command.base = piece.base;
      recorder.dispatch(command);
    }
  }
  first_launch_.push_back(n_launches);
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

void Program::run(const RunControl &control) {
  inputs_.flush(0, inputs_.size_bytes());
  const auto parts = recording_.parts();
  double slower = 1; // than planned, as far as this run knows
  const auto expected = [&](const Part &p) { return p.measured_s > 0 ? p.measured_s : slower * p.planned_s; };
  for (size_t first = 0; first < parts.size();) {
    size_t last = first + 1;
    double seconds = expected(parts_[first]);
    while (last < parts.size() && seconds + expected(parts_[last]) <= kMostSubmitSeconds)
      seconds += expected(parts_[last++]);
    if (control.cancel && control.cancel->load()) fail(ErrorCode::Cancelled, "the run was cancelled");
    // The flag is looked at between submits, which are short, not within: memory that the device still works
    // on must not be written by the next run. For the same reason, what a timeout left running is waited for
    // first.
    double planned = 0;
    for (size_t i = first; i < last; ++i) planned += parts_[i].planned_s;
    vk::WaitOptions wait;
    wait.timeout =
        control.timeout.count() > 0 ? control.timeout : patience(device_->caps(), std::max(planned, seconds));
    fence_.wait(wait);
    const auto begin = std::chrono::steady_clock::now();
    fence_.submit(parts.subspan(first, last - first));
    fence_.wait(wait);
    const double took = std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
    for (size_t i = first; i < last; ++i) parts_[i].measured_s = took * expected(parts_[i]) / seconds;
    slower = std::max(slower, took / planned);
    first = last;
  }
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
  std::vector<vk::DispatchTime> times(first_launch_.back());
  recording_.read_times(0, times);
  for (size_t i = 0; i < plan_.dispatches.size(); ++i) {
    const Dispatch &d = plan_.dispatches[i];
    DispatchProfile row{plan_.statement_text[d.statement], to_string(d.kernel), 0, d.flops, 0};
    for (uint32_t launch = first_launch_[i]; launch < first_launch_[i + 1]; ++launch)
      row.gpu_time_ns += times[launch].end_ns - times[launch].begin_ns;
    for (const Binding &b : d.bindings) row.bytes += b.bytes;
    rows.push_back(std::move(row));
  }
  return rows;
}

} // namespace fovea
