#include "exec/session.h"

#include "base/checked.h"
#include "base/log.h"
#include "exec/cache_encoding.h"
#include "exec/kernel_gate.h"
#include "exec/kernel_variant.h"
#include "exec/tensors.h"

#include <algorithm>
#include <set>
#include <utility>

namespace fovea {
namespace {

constexpr size_t kMaxPrograms = 64;

StateLayout layout_states(const Model &model, const std::vector<Graph> &graphs, const Bindings &bindings) {
  std::vector<const Graph *> all;
  for (const Graph &g : graphs.empty() ? model.graphs() : graphs) all.push_back(&g);
  return naming(model, [&] { return StateLayout::of(all, bindings); });
}

/// None: the model's own.
std::vector<Graph> own_graphs(const Model &model, const SessionOptions &options) {
  if (!options.cache) return {};
  return naming(model, [&] { return with_cache_encoding(model.graphs(), *options.cache); });
}

/// Each once, in the order of need.
std::vector<vk::KernelVariant> variants_of(const Plan &plan, const DeviceCaps &caps) {
  std::vector<vk::KernelVariant> variants;
  std::set<vk::KernelVariant> known;
  for (const Dispatch &d : plan.dispatches)
    if (vk::KernelVariant variant = kernel_variant(caps, d); known.insert(variant).second)
      variants.push_back(std::move(variant));
  return variants;
}

} // namespace

Session::Session(std::shared_ptr<vk::Device> device, std::shared_ptr<const Model> model,
                 std::shared_ptr<const DeviceWeights> weights, SessionOptions options)
    : device_(std::move(device)), model_(std::move(model)), weights_(std::move(weights)),
      options_(std::move(options)), graphs_(own_graphs(*model_, options_)), caps_(device_->caps()),
      states_(layout_states(*model_, graphs_, options_.bindings)) {
  if (options_.adjust_caps) options_.adjust_caps(caps_);
  caps_.max_storage_buffer_range = std::min(caps_.max_storage_buffer_range, weights_->max_range());
  if (states_.bytes)
    state_ =
        naming(*model_, [&] { return device_->allocate(vk::MemoryKind::Device, states_.bytes, "state"); });
  reset();
}

const Graph &Session::graph(std::string_view name) const {
  const auto found =
      std::find_if(graphs_.begin(), graphs_.end(), [&](const Graph &g) { return g.name() == name; });
  return found != graphs_.end() ? *found : model_->graph(name);
}

void Session::reset() {
  if (state_) fill(state_, 0);
}

void Session::fill_scratch(uint32_t word) { fill(scratch_, word); }

std::vector<std::byte> Session::read_scratch() { return read_back(scratch_, 0, scratch_.size_bytes()); }

HostTensor Session::read_state(const std::string &name) {
  const auto it = states_.entries.find(name);
  if (it == states_.entries.end()) fail(ErrorCode::NotFound, model_->path(), ": no state '", name, "'");
  const TensorType &type = it->second.type;
  return host_tensor(type, read_back(state_, it->second.offset, type.bytes()));
}

void Session::fill(const vk::Buffer &buffer, uint32_t word) {
  vk::Recorder recorder = device_->recorder();
  recorder.fill(buffer, 0, buffer.size_bytes(), word);
  submit(std::move(recorder));
}

std::vector<std::byte> Session::read_back(const vk::Buffer &buffer, uint64_t offset, uint64_t bytes) {
  const uint64_t padded = align_up(bytes, 4);
  const vk::Buffer host = device_->allocate(vk::MemoryKind::Readback, padded, "read back");
  vk::Recorder recorder = device_->recorder();
  recorder.barrier(vk::Hazard::ComputeToTransfer);
  recorder.copy(buffer, offset, host, 0, padded);
  recorder.barrier(vk::Hazard::TransferToHost);
  const vk::Recording recording = recorder.finish();
  vk::Fence fence = device_->fence();
  fence.submit(recording.parts());
  fence.wait();
  host.invalidate(0, padded);
  return {host.data(), host.data() + bytes};
}

Plan Session::plan(const Graph &graph, const Bindings &sizes, const std::set<std::string> &outputs) {
  Bindings bindings = options_.bindings;
  for (const auto &[symbol, size] : sizes) bindings[symbol] = size;
  const auto weights = [&](const std::string &name) { return model_->find_weight(name); };
  return make_plan(graph, bindings, weights, states_, caps_, {outputs});
}

void Session::expect(std::string_view graph, const Bindings &sizes, const std::set<std::string> &outputs) {
  try {
    Key key{std::string(graph), sizes, outputs};
    if (expected_.contains(key) || has_program(graph, sizes, outputs)) return;
    Plan made = plan(this->graph(graph), sizes, outputs);
    const WeightLookup weights = [&](const std::string &name) { return model_->find_weight(name); };
    const auto &gate = device_->gate();
    if (!gate || !options_.gated || gate->expect({this->graph(graph), made, weights, caps_}))
      device_->kernels().create_ahead(variants_of(made, caps_));
    expected_.emplace(std::move(key), std::move(made));
  } catch (const Error &) { // program() comes to the same
  }
}

bool Session::disable(std::span<const vk::KernelFailure> failures) {
  for (const vk::KernelFailure &f : failures) {
    log(LogLevel::Warning, "falling back from kernel ", to_string(f.variant.id), ": ", f.error.what());
    if (caps_.disabled_kernels.insert(uint32_t(f.variant.id)).second)
      failed_kernels_.push_back(concat(to_string(f.variant.id), ": ", f.error.what()));
  }
  return !failures.empty();
}

Plan Session::plan_with_kernels(std::optional<Plan> expected, const Graph &graph, const Bindings &sizes,
                                const std::set<std::string> &outputs) {
  const WeightLookup weights = [&](const std::string &name) { return model_->find_weight(name); };
  for (;;) {
    // Route around what this driver gets wrong or cannot build; planning says Unsupported when nothing is
    // left.
    try {
      Plan plan = expected ? *std::exchange(expected, {}) : this->plan(graph, sizes, outputs);
      const auto &gate = device_->gate();
      if (gate && options_.gated && disable(gate->admit(device_, {graph, plan, weights, caps_}))) continue;
      if (!disable(device_->kernels().create_batch(variants_of(plan, caps_)))) return plan;
    } catch (const Error &e) {
      if (e.code() != ErrorCode::Unsupported || failed_kernels_.empty()) throw;
      std::string why;
      for (const std::string &failed : failed_kernels_) why += concat(why.empty() ? "" : "; ", failed);
      fail(e.code(), e.what(), ". Kernels that failed here: ", why);
    }
  }
}

void Session::grow_scratch(uint64_t bytes) {
  if (scratch_ && scratch_.size_bytes() >= bytes + kGuardBytes) return;
  programs_.clear(); // they are recorded with the old arena
  scratch_ = {};
  scratch_ = device_->allocate(vk::MemoryKind::Device, bytes + kGuardBytes, "scratch");
}

bool Session::has_program(std::string_view graph, const Bindings &sizes,
                          const std::set<std::string> &outputs) const {
  const Key key{std::string(graph), sizes, outputs};
  return std::any_of(programs_.begin(), programs_.end(), [&](const auto &p) { return p.first == key; });
}

Program &Session::program(std::string_view graph, const Bindings &sizes,
                          const std::set<std::string> &outputs) {
  Key key{std::string(graph), sizes, outputs};
  const auto known =
      std::find_if(programs_.begin(), programs_.end(), [&](const auto &p) { return p.first == key; });
  if (known != programs_.end()) {
    programs_.splice(programs_.begin(), programs_, known);
    return programs_.front().second;
  }
  return naming(*model_, [&]() -> Program & {
    auto expected = expected_.extract(key);
    Plan made = plan_with_kernels(expected ? std::optional(std::move(expected.mapped())) : std::nullopt,
                                  this->graph(graph), sizes, outputs);
    grow_scratch(made.scratch_bytes);
    if (programs_.size() == kMaxPrograms) programs_.pop_back();
    programs_.emplace_front(std::piecewise_construct, std::forward_as_tuple(std::move(key)),
                            std::forward_as_tuple(device_, std::move(made),
                                                  Program::Memory{weights_.get(), &state_, &scratch_},
                                                  options_.timestamps));
    return programs_.front().second;
  });
}

MemoryUse Session::memory() const {
  MemoryUse use{weights_->device_bytes(), states_.bytes, scratch_ ? scratch_.size_bytes() : 0, 0};
  for (const auto &[key, program] : programs_) use.io_bytes += program.host_bytes();
  return use;
}

} // namespace fovea
