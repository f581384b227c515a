// What measurements do with a session beside running its programs.
#include "exec/session.h"

#include "base/checked.h"
#include "base/half.h"
#include "exec/tensors.h"

#include <algorithm>
#include <cmath>
#include <cstring>

namespace fovea {
namespace {

/// As shaders/quantize_rows.comp lays a state out: bytes, then a scale for each 32.
std::vector<std::byte> q8_bytes(const HostTensor &tensor) {
  const size_t n = tensor.f.size();
  std::vector<std::byte> out(tensor.type.bytes());
  for (size_t group = 0; group < n; group += 32) {
    float magnitude = 0;
    for (size_t i = group; i < group + 32; ++i) magnitude = std::max(magnitude, std::abs(tensor.f[i]));
    const uint16_t half = float_to_half(std::min(magnitude / 127, 65504.0f));
    const float scale = half_to_float(half);
    for (size_t i = group; i < group + 32; ++i) {
      const float code = scale > 0 && std::isfinite(tensor.f[i]) ? std::floor(tensor.f[i] / scale + 0.5f) : 0;
      out[i] = std::byte(int8_t(std::clamp(code, -127.0f, 127.0f)));
    }
    std::memcpy(out.data() + n + group / 32 * 2, &half, 2);
  }
  return out;
}

} // namespace

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

void Session::write_state(const std::string &name, const HostTensor &values) {
  const auto it = states_.entries.find(name);
  if (it == states_.entries.end()) fail(ErrorCode::NotFound, model_->path(), ": no state '", name, "'");
  if (values.type != it->second.type)
    fail(ErrorCode::InvalidArgument, model_->path(), ": state '", name, "' is ", it->second.type, ", got ",
         values.type);
  std::vector<std::byte> bytes =
      values.type.encoding == Encoding::Q8 ? q8_bytes(values) : tensor_bytes(values);
  bytes.resize(align_up(bytes.size(), 4));
  write({0, Space::State, it->second.offset, bytes.size()}, bytes);
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
