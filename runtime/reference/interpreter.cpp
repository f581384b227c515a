#include "reference/interpreter.h"

#include "base/half.h"

#include <algorithm>
#include <cmath>

namespace fovea {
namespace {

// shaders/quantize_rows.comp.
void round_to_q8(std::span<float> row) {
  for (; !row.empty(); row = row.subspan(32)) {
    float magnitude = 0;
    for (const float v : row.first(32)) magnitude = std::max(magnitude, std::abs(v));
    const float scale = half_to_float(float_to_half(std::min(magnitude / 127, 65504.0f)));
    for (float &v : row.first(32))
      v = scale > 0 ? scale * std::clamp(std::floor(v / scale + 0.5f), -127.0f, 127.0f) : 0;
  }
}

// Rows of each batch, from row `at` of the state on; rows past its end are dropped, as on the device.
void store_rows(const HostTensor &from, HostTensor &to, uint32_t at) {
  const Shape &f = from.type.shape, &t = to.type.shape;
  const uint64_t width = t.row(), n = f.dim(-2), capacity = t.dim(-2), n_batch = f.rows() / n;
  for (uint64_t b = 0; b < n_batch; ++b)
    for (uint64_t row = 0; row < n && at + row < capacity; ++row)
      for (uint64_t d = 0; d < width; ++d) {
        const float v = from.f[(b * n + row) * width + d];
        to.f[(b * capacity + at + row) * width + d] =
            to.type.encoding == Encoding::F16 ? half_to_float(float_to_half(v)) : v;
      }
  if (to.type.encoding != Encoding::Q8) return;
  for (uint64_t b = 0; b < n_batch; ++b)
    for (uint64_t row = 0; row < n && at + row < capacity; ++row)
      round_to_q8(std::span(to.f).subspan((b * capacity + at + row) * width, width));
}

class Interpreter final : public ReferenceCall {
public:
  Interpreter(const Graph &graph, const StepValues &steps) : steps_(steps), tensors_(graph.values().size()) {}

  const HostTensor &in(Value value) const override { return *tensors_[value.id]; }
  HostTensor &out() override { return result_; }
  HostTensor &state(Value value) override { return *states_.at(value.id); }
  void store(Value value, const HostTensor &rows, uint32_t at) override {
    store_rows(rows, state(value), at);
  }
  uint32_t step(const StepName &name) const override {
    const auto it = steps_.find(name.name);
    return it == steps_.end() ? 0 : it->second;
  }
  void set(Value value, const HostTensor *tensor) { tensors_[value.id] = tensor; }
  void set_state(Value value, HostTensor *tensor) {
    set(value, tensor);
    states_[value.id] = tensor;
  }

  HostTensor call(const Op &op, const TensorType &type) {
    result_ = HostTensor(type);
    op.reference(*this);
    return std::move(result_);
  }

private:
  const StepValues &steps_;
  std::vector<const HostTensor *> tensors_;
  std::map<uint32_t, HostTensor *> states_;
  HostTensor result_;
};

} // namespace

ReferenceRun run_reference(const Graph &graph, const Bindings &bindings, const WeightReader &weights,
                           const HostTensors &inputs, const StepValues &steps, HostTensors &states,
                           bool keep_values) {
  std::map<std::string, HostTensor> held; // weights and results by value name
  const auto type_of = [&](const std::string &name) -> const TensorType * {
    auto it = held.find(name);
    if (it == held.end()) it = held.emplace(name, weights(name)).first;
    return &it->second.type;
  };
  const std::vector<TensorType> types = infer_types(graph, bindings, type_of);

  Interpreter interpreter(graph, steps);
  for (uint32_t i = 0; i < types.size(); ++i) {
    const ValueInfo &v = graph.values()[i];
    if (v.kind == ValueKind::Input) {
      const auto it = inputs.find(v.name);
      if (it == inputs.end()) fail(ErrorCode::InvalidArgument, "input '", v.name, "' is missing");
      if (it->second.type != types[i])
        fail(ErrorCode::InvalidArgument, "input '", v.name, "' is ", it->second.type, ", the graph wants ",
             types[i]);
      interpreter.set({i}, &it->second);
    } else if (v.kind == ValueKind::State) {
      interpreter.set_state({i}, &states.try_emplace(v.name, types[i]).first->second);
    } else if (v.kind == ValueKind::Weight) {
      interpreter.set({i}, &held.at(v.name));
    }
  }
  ReferenceRun run;
  for (const Statement &s : graph.statements()) {
    if (s.state) {
      const std::string &name = graph.value(s.state).name;
      // The op's own result is f32 whatever the state holds.
      const HostTensor result = interpreter.call(s.op, infer_statement(graph, types, s));
      store_rows(result, states.at(name), interpreter.step(s.at));
      continue;
    }
    const std::string &name = graph.value(s.result).name;
    HostTensor result = interpreter.call(s.op, types[s.result.id]);
    const HostTensor &kept = held.insert_or_assign(name, std::move(result)).first->second;
    interpreter.set(s.result, &kept);
    if (s.is_output) run.outputs.emplace(name, kept);
    if (keep_values) run.values.emplace(name, kept);
  }
  return run;
}

} // namespace fovea
