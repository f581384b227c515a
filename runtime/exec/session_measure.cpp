// What measurements do with a session beside running its programs.
#include "exec/session.h"

#include <algorithm>

namespace fovea {

Program Session::assemble(Plan plan) const {
  return Program(device_, std::move(plan), Program::Memory{weights_.get(), &state_, &scratch_},
                 options_.timestamps);
}

Plan Session::plan_with(const Plan &plan, std::shared_ptr<const TuningTable> tuning) const {
  DeviceCaps caps = caps_;
  caps.tuning = std::move(tuning);
  std::set<std::string> outputs;
  for (const PlanValue &out : plan.outputs) outputs.insert(out.name);
  return make_plan(graph(plan.graph), plan.bindings,
                   [&](const std::string &name) { return model_->find_weight(name); }, states_, caps,
                   {outputs});
}

std::vector<DispatchWork> Session::work(const Program &program) const {
  const Plan &plan = program.plan();
  return plan_work(
      graph(plan.graph), plan, [&](const std::string &name) { return model_->find_weight(name); }, states_,
      [&](const std::string &step) { return program.step(step); });
}

const vk::Buffer &Session::memory_of(Space space) const {
  if (space != Space::State && space != Space::Scratch)
    fail(ErrorCode::Internal, "a session owns no ", to_string(space), " memory");
  return space == Space::State ? state_ : scratch_;
}

std::vector<std::byte> Session::read(const Binding &range) {
  return read_back(memory_of(range.space), range.offset, range.bytes);
}

void Session::write(const Binding &range, std::span<const std::byte> bytes) {
  const vk::Buffer staging = device_->allocate(vk::MemoryKind::Staging, range.bytes, "write");
  std::copy(bytes.begin(), bytes.end(), staging.data());
  staging.flush(0, range.bytes);
  vk::Recorder recorder = device_->recorder();
  recorder.copy(staging, 0, memory_of(range.space), range.offset, range.bytes);
  submit(std::move(recorder));
}

void Session::fill(const Binding &range, uint32_t word) {
  vk::Recorder recorder = device_->recorder();
  recorder.fill(memory_of(range.space), range.offset, range.bytes, word);
  submit(std::move(recorder));
}

void Session::submit(vk::Recorder recorder) {
  recorder.barrier(vk::Hazard::TransferToCompute);
  const vk::Recording recording = recorder.finish();
  vk::Fence fence = device_->fence();
  fence.submit(recording.parts());
  fence.wait();
}

} // namespace fovea
