#include "graph/plan.h"

#include "base/checked.h"
#include "graph/pieces.h"
#include "graph/placement.h"
#include "graph/store_q8.h"

#include <algorithm>
#include <map>

namespace fovea {
namespace {

// Every tensor starts on the largest offset alignment a device may ask for.
constexpr uint64_t kTensorAlignment = 256;

// Appends what the ops ask for; bindings stay symbolic (BufferRef) until everything is known.
class PlanBuilder final : public Lowering {
public:
  PlanBuilder(const Graph &graph, const std::vector<TensorType> &types, const WeightLookup &weights,
              const StateLayout &states, const DeviceCaps &caps)
      : step_limits(graph.steps().size(), 0xFFFFFFFFu), graph_(graph), types_(types), weights_(weights),
        states_(states), caps_(caps), root_(types.size()) {
    for (uint32_t i = 0; i < root_.size(); ++i) root_[i] = {i};
  }

  void lower(uint32_t index) {
    const Statement &s = graph_.statements()[index];
    if (!s.op.takes_norms())
      for (const Value v : operands(s.op)) compute(v);
    statement_ = index;
    set_target(s);
    if (!s.state || target_.type.encoding != Encoding::Q8) return s.op.lower(*this);
    // Through f32 rows, whatever the op is.
    const Target state = target_;
    const TensorType rows = infer_statement(graph_, types_, s);
    target_ = {temporary(rows.bytes()), rows, kNoStep, rows.shape.dim(-2), false};
    s.op.lower(*this);
    store_q8(*this, target_.ref, rows.shape, state);
  }

  const DeviceCaps &caps() const override { return caps_; }
  const TensorType &type(Value v) const override { return types_[v.id]; }
  bool is_weight(Value v) const override { return graph_.value(v).kind == ValueKind::Weight; }
  const WeightInfo &weight(Value v) const override {
    if (!is_weight(v))
      fail(ErrorCode::InvalidGraph, "'", graph_.value(v).name, "' must be a tensor of the file");
    return *weights_(graph_.value(v).name);
  }
  uint32_t step(const StepName &name) const override { return name ? graph_.step_slot(name.name) : kNoStep; }
  BufferRef ref(Value v) const override {
    const Value root = root_[v.id];
    if (!is_weight(root)) return {BufferRef::Kind::Value, root.id, 0, types_[v.id].bytes()};
    const WeightInfo &w = weight(root);
    return {BufferRef::Kind::Weights, 0, w.offset, plane_bytes(w.type.shape, w.type.encoding)};
  }
  bool view(Value v) override {
    const Statement &s = graph_.statements()[statement_];
    if (s.state || s.is_output) return false;
    root_[s.result.id] = root_[v.id];
    return true;
  }
  bool defer(const RowNorm &norm) override {
    const Statement &s = graph_.statements()[statement_];
    // A state may be overwritten before the norm is taken.
    const bool kept = graph_.value(root_[norm.x.id]).kind != ValueKind::State;
    if (!caps_.fuse_norms || s.state || s.is_output || !kept || computing_) return false;
    deferred_.emplace(s.result.id, Deferred{norm, statement_});
    return true;
  }
  std::optional<RowNorm> deferred(Value v) const override {
    const auto found = deferred_.find(v.id);
    return found == deferred_.end() ? std::nullopt : std::optional(found->second.norm);
  }
  void compute(Value v) override {
    const auto found = deferred_.find(v.id);
    if (found == deferred_.end()) return;
    const uint32_t norm = found->second.statement, statement = statement_;
    const Target target = target_;
    deferred_.erase(found);
    computing_ = true;
    lower(norm);
    computing_ = false; // a deferred norm's operands are computed: this does not nest
    statement_ = statement;
    target_ = target;
  }
  const Target &target() const override { return target_; }
  Target state_rows(Value state, const StepName &at, uint64_t n_rows) override {
    const TensorType &type = types_[state.id];
    if (at) limit_step(at, type.shape.dim(-2) - n_rows);
    return {ref(state), type, step(at), type.shape.dim(-2), true};
  }
  bool can_join(const BufferRef &a, const BufferRef &b) const override {
    const auto begin = [&](const BufferRef &r) -> std::optional<uint64_t> {
      if (r.kind == BufferRef::Kind::Temporary) return r.offset;
      if (r.kind != BufferRef::Kind::Value || graph_.values()[r.id].kind != ValueKind::State) return {};
      return states_.entries.at(graph_.values()[r.id].name).offset + r.offset;
    };
    const auto at = begin(a), other = begin(b);
    if (!at || !other || a.kind != b.kind || (a.kind == BufferRef::Kind::Temporary && a.id != b.id))
      return false;
    return std::max(*at + a.bytes, *other + b.bytes) - std::min(*at, *other) <=
           caps_.max_storage_buffer_range;
  }
  BufferRef temporary(uint64_t bytes) override {
    temporary_bytes.push_back(bytes);
    return {BufferRef::Kind::Temporary, uint32_t(temporary_bytes.size() - 1), 0, bytes};
  }
  void dispatch(const KernelChoice &choice, std::vector<uint32_t> push, std::vector<BoundRef> bindings,
                uint64_t flops, uint64_t bytes) override {
    require_linked(choice.kernel);
    for (size_t i = 0; i < 3; ++i)
      if (choice.groups[i] == 0 || choice.groups[i] > caps_.max_workgroup_count[i])
        fail(ErrorCode::Internal, to_string(choice.kernel), ": ", choice.groups[i],
             " workgroups in dimension ", i);
    for (const BoundRef &b : bindings) check_range(b.ref.bytes, statement_);
    dispatches.push_back({choice.kernel,
                          choice.spec,
                          {},
                          std::move(push),
                          choice.groups,
                          flops,
                          bytes,
                          1,
                          statement_,
                          false,
                          {},
                          choice.tile,
                          choice.key,
                          choice.among});
    bound.push_back(std::move(bindings));
  }

  void check_range(uint64_t bytes, uint32_t statement) const {
    if (bytes > caps_.max_storage_buffer_range)
      fail(ErrorCode::Unsupported, graph_.statements()[statement].op.name(), ": a tensor of ", bytes,
           " bytes exceeds what the device can bind (", caps_.max_storage_buffer_range, ")");
  }

  std::vector<Dispatch> dispatches;
  std::vector<std::vector<BoundRef>> bound; // by dispatch
  std::vector<uint64_t> temporary_bytes;
  std::vector<uint32_t> step_limits;

private:
  void set_target(const Statement &s) {
    const Value v = s.state ? s.state : s.result;
    target_ = {ref(v), types_[v.id], step(s.at), 0, bool(s.state)};
    const Shape &shape = target_.type.shape;
    target_.batch_rows = shape.rank() >= 2 ? shape.dim(-2) : 1;
    if (!s.state) return;
    const uint64_t n_rows = infer_statement(graph_, types_, s).shape.dim(-2);
    if (s.at) limit_step(s.at, shape.dim(-2) - n_rows);
  }
  void limit_step(const StepName &name, uint64_t most) {
    uint32_t &limit = step_limits[step(name)];
    limit = std::min(limit, uint32_t(most));
  }

  const Graph &graph_;
  const std::vector<TensorType> &types_;
  const WeightLookup &weights_;
  const StateLayout &states_;
  const DeviceCaps &caps_;
  std::vector<Value> root_; // by value: whose bytes it is
  Target target_;
  uint32_t statement_ = 0;
  struct Deferred {
    RowNorm norm;
    uint32_t statement;
  };
  std::map<uint32_t, Deferred> deferred_; // by value
  bool computing_ = false;                // a norm that was deferred
};

bool is_wanted(const Graph &graph, const Statement &s, const std::set<std::string> &outputs) {
  return s.is_output && (outputs.empty() ? !s.is_offered : outputs.count(graph.value(s.result).name) > 0);
}

std::vector<bool> needed_statements(const Graph &graph, const std::set<std::string> &outputs) {
  for (const std::string &name : outputs) {
    const auto &all = graph.statements();
    if (std::none_of(all.begin(), all.end(),
                     [&](const Statement &s) { return s.is_output && graph.value(s.result).name == name; }))
      fail(ErrorCode::NotFound, "graph '", graph.name(), "' has no output '", name, "'");
  }
  std::vector<bool> statement(graph.statements().size()), value(graph.values().size());
  for (size_t i = statement.size(); i-- > 0;) {
    const Statement &s = graph.statements()[i];
    const bool wanted = s.state || value[s.result.id] || is_wanted(graph, s, outputs);
    if (!wanted) continue;
    statement[i] = true;
    for (const Value v : operands(s.op)) value[v.id] = true;
  }
  return statement;
}

/// One binding for two ranges; where each begins in it is added to its push constant.
Binding join(const Binding &a, const Binding &b, const JoinedRef &joined, Dispatch &dispatch) {
  if (a.space != b.space)
    fail(ErrorCode::Unsupported, to_string(dispatch.kernel), ": two operands that share a binding lie in ",
         to_string(a.space), " and ", to_string(b.space), " memory");
  Binding both = a;
  both.offset = std::min(a.offset, b.offset);
  both.bytes = std::max(a.offset + a.bytes, b.offset + b.bytes) - both.offset;
  dispatch.push[joined.first_push] += uint32_t((a.offset - both.offset) / joined.element_bytes);
  dispatch.push[joined.second_push] += uint32_t((b.offset - both.offset) / joined.element_bytes);
  return both;
}

std::string statement_text(const Graph &graph, const Statement &s) {
  const Value v = s.state ? s.state : s.result;
  return concat(s.op.name(), s.state ? " -> " : " = ", graph.value(v).name);
}

/// A window may be bound as a storage buffer and as a texel buffer.
uint64_t window_alignment(const DeviceCaps &caps) {
  return std::max(caps.storage_offset_alignment, caps.texel_offset_alignment);
}

} // namespace

const char *to_string(Space space) {
  static constexpr const char *names[] = {"weights", "state", "scratch", "input"};
  return names[size_t(space)];
}

uint64_t Lowering::window_bytes() const { return caps().max_storage_buffer_range - window_alignment(caps()); }

std::optional<WeightWindow> Lowering::window(uint64_t begin, uint64_t end) const {
  begin = align_down(begin, window_alignment(caps()));
  if (end - begin > caps().max_storage_buffer_range) return {};
  return WeightWindow{{BufferRef::Kind::Weights, 0, begin, align_up(end - begin, 4)}};
}

StateLayout StateLayout::of(std::span<const Graph *const> graphs, const Bindings &bindings) {
  StateLayout layout;
  for (const Graph *graph : graphs) {
    for (const ValueInfo &v : graph->values()) {
      if (v.kind != ValueKind::State) continue;
      const TensorType type{bind(v, bindings), v.encoding};
      if (is_quantized(type.encoding) && type.shape.row() % info(type.encoding).group_size != 0)
        fail(ErrorCode::Unsupported, "state '", v.name, "' has rows of ", type.shape.row(), " elements; ",
             type.encoding, " needs a multiple of ", info(type.encoding).group_size);
      const auto [it, added] = layout.entries.emplace(v.name, Entry{type, layout.bytes});
      if (added)
        layout.bytes += align_up(type.bytes(), kTensorAlignment);
      else if (it->second.type != type)
        fail(ErrorCode::InvalidGraph, "state '", v.name, "' is ", it->second.type, " in one graph and ", type,
             " in '", graph->name(), "'");
    }
  }
  return layout;
}

Plan make_plan(const Graph &graph, const Bindings &bindings, const WeightLookup &weights,
               const StateLayout &states, const DeviceCaps &caps, const PlanOptions &options) {
  const auto weight_type = [&](const std::string &name) -> const TensorType * {
    const WeightInfo *w = weights(name);
    return w ? &w->type : nullptr;
  };
  const std::vector<TensorType> types = infer_types(graph, bindings, weight_type);
  const std::vector<bool> needed = needed_statements(graph, options.outputs);

  Plan plan;
  plan.graph = graph.name();
  plan.bindings = bindings;
  plan.steps = graph.steps();
  plan.state_bytes = states.bytes;
  PlanBuilder builder(graph, types, weights, states, caps);
  for (uint32_t i = 0; i < graph.statements().size(); ++i) {
    plan.statement_text.push_back(statement_text(graph, graph.statements()[i]));
    if (!needed[i]) continue;
    try {
      builder.lower(i);
    } catch (const Error &e) {
      fail(e.code(), "graph '", graph.name(), "', ", plan.statement_text[i], ": ", e.what());
    }
  }

  // Arena lifetimes, in dispatch indices; outputs live to the end.
  const auto n_dispatches = uint32_t(builder.dispatches.size());
  const size_t n_values = types.size();
  std::vector<Lifetime> lives(n_values + builder.temporary_bytes.size());
  const auto life_of = [&](const BufferRef &r) -> Lifetime * {
    if (r.kind == BufferRef::Kind::Weights) return nullptr;
    if (r.kind == BufferRef::Kind::Temporary) return &lives[n_values + r.id];
    return graph.values()[r.id].kind == ValueKind::Result ? &lives[r.id] : nullptr;
  };
  for (uint32_t d = 0; d < n_dispatches; ++d)
    for (const BoundRef &b : builder.bound[d])
      for (const BufferRef *ref : {&b.ref, b.joined ? &b.joined->ref : nullptr})
        if (Lifetime *life = ref ? life_of(*ref) : nullptr) life->extend(d);
  for (size_t i = 0; i < lives.size(); ++i)
    lives[i].bytes =
        align_up(i < n_values ? types[i].bytes() : builder.temporary_bytes[i - n_values], kTensorAlignment);
  for (size_t i = 0; i < graph.statements().size(); ++i) {
    const Statement &s = graph.statements()[i];
    if (is_wanted(graph, s, options.outputs)) lives[s.result.id].extend(n_dispatches);
  }
  const Placement placement = place(lives);
  plan.scratch_bytes = placement.bytes;

  std::vector<uint64_t> input_offset(n_values);
  for (uint32_t i = 0; i < n_values; ++i) {
    const ValueInfo &v = graph.values()[i];
    if (v.kind != ValueKind::Input) continue;
    input_offset[i] = plan.input_bytes;
    plan.inputs.push_back({v.name, types[i], plan.input_bytes});
    plan.input_bytes += align_up(types[i].bytes(), kTensorAlignment);
  }
  for (size_t i = 0; i < graph.statements().size(); ++i) {
    const Statement &s = graph.statements()[i];
    if (is_wanted(graph, s, options.outputs))
      plan.outputs.push_back(
          {graph.value(s.result).name, types[s.result.id], placement.offsets[s.result.id]});
  }

  const auto resolve = [&](const BoundRef &b, const BufferRef &ref) -> Binding {
    Binding out{b.slot, Space::Scratch, ref.offset, ref.bytes, b.access};
    if (ref.kind == BufferRef::Kind::Weights) {
      out.space = Space::Weights;
    } else if (ref.kind == BufferRef::Kind::Temporary) {
      out.offset += placement.offsets[n_values + ref.id];
    } else {
      const ValueInfo &v = graph.values()[ref.id];
      if (v.kind == ValueKind::Input) {
        out.space = Space::Input;
        out.offset += input_offset[ref.id];
      } else if (v.kind == ValueKind::State) {
        out.space = Space::State;
        out.offset += states.entries.at(v.name).offset;
      } else {
        out.offset += placement.offsets[ref.id];
      }
    }
    out.bytes = align_up(out.bytes, 4);
    return out;
  };
  for (uint32_t d = 0; d < n_dispatches; ++d) {
    Dispatch &dispatch = builder.dispatches[d];
    for (const BoundRef &b : builder.bound[d]) {
      const Binding range = resolve(b, b.ref);
      dispatch.touched.push_back(range);
      if (!b.joined) {
        dispatch.bindings.push_back(range);
        continue;
      }
      const Binding other = resolve(b, b.joined->ref);
      dispatch.touched.push_back(other);
      dispatch.bindings.push_back(join(range, other, *b.joined, dispatch));
      builder.check_range(dispatch.bindings.back().bytes, dispatch.statement);
    }
    dispatch.n_pieces = pieces_needed(caps, dispatch);
  }
  plan.step_limits = std::move(builder.step_limits);
  plan.dispatches = std::move(builder.dispatches);
  set_barriers(plan.dispatches);
  return plan;
}

std::string dump_plan(const Plan &plan) {
  std::string text = concat("plan ", plan.graph);
  for (const auto &[symbol, size] : plan.bindings) text += concat(" ", symbol, "=", size);
  text += concat(": ", plan.dispatches.size(), " dispatches, scratch ", plan.scratch_bytes, ", state ",
                 plan.state_bytes, ", input ", plan.input_bytes, " bytes\n");
  for (const Dispatch &d : plan.dispatches) {
    text += concat(d.barrier_before ? "| " : "  ", to_string(d.kernel), " ", d.groups[0], "x", d.groups[1],
                   "x", d.groups[2]);
    for (const Binding &b : d.bindings)
      text += concat("  ", b.slot, ":",
                     b.access == Access::Read    ? ""
                     : b.access == Access::Write ? ">"
                                                 : "<>",
                     to_string(b.space), "+", b.offset, ":", b.bytes);
    text += concat("  # ", plan.statement_text[d.statement], "\n");
  }
  return text;
}

} // namespace fovea
