#include "graph/plan_work.h"

#include "base/checked.h"

#include <algorithm>
#include <cmath>

namespace fovea {
namespace {

using Steps = std::function<uint32_t(const std::string &)>;

struct Range {
  Space space;
  uint64_t begin, end;
  double part = 1; // of it that is touched
  bool overlaps(const Range &r) const { return space == r.space && begin < r.end && r.begin < end; }
};

class Work final : public OpWork {
public:
  Work(const Graph &graph, const std::vector<TensorType> &types, const WeightLookup &weights,
       const StateLayout &states, const Steps &steps, uint32_t dispatch_index)
      : graph_(graph), types_(types), weights_(weights), states_(states), steps_(steps),
        dispatch_index_(dispatch_index) {}

  const Shape &shape(Value v) const override { return types_[v.id].shape; }
  uint32_t step(const StepName &name) const override { return name ? steps_(name.name) : 0; }
  uint32_t dispatch_index() const override { return dispatch_index_; }
  void reads(Value operand, double part) override {
    const ValueKind kind = graph_.value(operand).kind;
    if (kind == ValueKind::Result || kind == ValueKind::Input)
      sized.emplace_back(align_up(types_[operand.id].bytes(), 4), std::min(part, 1.0));
    for (Range range : ranges(operand)) {
      range.part = std::min(part, 1.0);
      parts.push_back(range);
    }
  }
  void computes(double part) override { computed = std::min(part, 1.0); }

  std::vector<Range> parts; // operands that are read in part, where they lie
  /// Those that lie where the planner put them: bytes, part. Their size tells them apart.
  std::vector<std::pair<uint64_t, double>> sized;
  double computed = 1;

  /// Where a tensor of the file or a state lies; nowhere for others.
  std::vector<Range> ranges(Value v) const {
    const ValueInfo &info = graph_.value(v);
    const TensorType &type = types_[v.id];
    if (info.kind == ValueKind::State) {
      const uint64_t begin = states_.entries.at(info.name).offset;
      return {{Space::State, begin, begin + type.bytes()}};
    }
    if (info.kind != ValueKind::Weight) return {};
    const WeightInfo &w = *weights_(info.name);
    std::vector<Range> out{{Space::Weights, w.offset, w.offset + plane_bytes(type.shape, type.encoding)}};
    if (w.scale_offset)
      out.push_back(
          {Space::Weights, w.scale_offset, w.scale_offset + scale_bytes(type.shape, type.encoding)});
    return out;
  }

private:
  const Graph &graph_;
  const std::vector<TensorType> &types_;
  const WeightLookup &weights_;
  const StateLayout &states_;
  const Steps &steps_;
  uint32_t dispatch_index_;
};

/// Bytes of all ranges, what several share counted once.
uint64_t united(std::vector<Range> ranges) {
  std::sort(ranges.begin(), ranges.end(), [](const Range &a, const Range &b) {
    return std::pair(a.space, a.begin) < std::pair(b.space, b.begin);
  });
  double bytes = 0;
  for (size_t i = 0; i < ranges.size();) {
    Range all = ranges[i];
    for (++i; i < ranges.size() && all.overlaps(ranges[i]); ++i) {
      all.end = std::max(all.end, ranges[i].end);
      all.part = std::max(all.part, ranges[i].part);
    }
    bytes += double(all.end - all.begin) * all.part;
  }
  return uint64_t(std::llround(bytes));
}

std::string dims_text(const TensorType &type) {
  std::string text = type.encoding == Encoding::F32 ? "" : concat(type.encoding, ":");
  for (int i = 0; i < type.shape.rank(); ++i) text += concat(i ? "x" : "", type.shape[i]);
  return text;
}

} // namespace

std::vector<DispatchWork> plan_work(const Graph &graph, const Plan &plan, const WeightLookup &weights,
                                    const StateLayout &states, const Steps &steps) {
  const auto weight_type = [&](const std::string &name) -> const TensorType * {
    const WeightInfo *w = weights(name);
    return w ? &w->type : nullptr;
  };
  const std::vector<TensorType> types = infer_types(graph, plan.bindings, weight_type);
  std::vector<DispatchWork> all;
  for (const Dispatch &d : plan.dispatches) {
    const Statement &s = graph.statements()[d.statement];
    const auto same = [&](const Dispatch &other) { return other.statement == d.statement; };
    const auto index = ptrdiff_t(all.size());
    Work work(graph, types, weights, states, steps,
              uint32_t(std::count_if(plan.dispatches.begin(), plan.dispatches.begin() + index, same)));
    s.op.work(work);
    DispatchWork &out = all.emplace_back();
    out.flops = uint64_t(std::llround(double(d.flops) * work.computed));
    out.result = infer_statement(graph, types, s);
    out.stores = bool(s.state);
    out.sole = std::count_if(plan.dispatches.begin(), plan.dispatches.end(), same) == 1;
    if (s.state) {
      out.result.encoding = types[s.state.id].encoding;
      for (Range range : work.ranges(s.state)) {
        range.part = double(out.result.bytes()) / double(range.end - range.begin);
        work.parts.push_back(range); // after what the op says of it
      }
    }
    std::vector<Range> touched;
    for (const Binding &b : d.touched) {
      Range range{b.space, b.offset, b.offset + b.bytes};
      for (const Range &part : work.parts)
        if (part.overlaps(range)) {
          range.part = part.part;
          break;
        }
      if (b.access == Access::Read && (b.space == Space::Scratch || b.space == Space::Input))
        for (const auto &[bytes, part] : work.sized)
          if (bytes == b.bytes) range.part = part;
      touched.push_back(range);
    }
    out.bytes = united(std::move(touched));
    for (const Value v : operands(s.op)) out.shapes += dims_text(types[v.id]) + " ";
    out.shapes += "-> " + dims_text(out.result);
  }
  return all;
}

} // namespace fovea
