#include "check/kernel_case.h"

#include "base/checked.h"
#include "graph/extract.h"
#include "ops/copy.h"
#include "ops/registry.h"

#include <algorithm>

namespace fovea::check {
namespace {

constexpr uint64_t kTensorAlignment = 256; // as in a file

std::map<std::string, WeightInfo> lay_out(const std::vector<std::pair<std::string, TensorType>> &weights) {
  std::map<std::string, WeightInfo> out;
  uint64_t at = kTensorAlignment;
  const auto place = [&](uint64_t bytes) {
    const uint64_t begin = at;
    at += align_up(bytes, kTensorAlignment);
    return begin;
  };
  for (const auto &[name, type] : weights) {
    WeightInfo &info = out[name];
    info.type = type;
    info.offset = place(plane_bytes(type.shape, type.encoding));
    if (is_quantized(type.encoding)) info.scale_offset = place(scale_bytes(type.shape, type.encoding));
  }
  return out;
}

std::vector<const Dispatch *> of_last_statement(const Plan &plan) {
  std::vector<const Dispatch *> out;
  for (const Dispatch &d : plan.dispatches)
    if (d.statement + 1 == plan.statement_text.size()) out.push_back(&d);
  return out;
}

std::vector<vk::KernelVariant> variants_of(const DeviceCaps &caps, std::span<const Dispatch *const> all) {
  std::vector<vk::KernelVariant> out;
  for (const Dispatch *d : all) out.push_back(kernel_variant(caps, *d));
  return out;
}

uint64_t flops_of(std::span<const Dispatch *const> all) {
  uint64_t flops = 0;
  for (const Dispatch *d : all) flops += d->flops;
  return flops;
}

/// Where the rows of a state begin, and how far it is filled: nearly all of it.
StepValues choose_steps(const Graph &graph, const Plan &plan) {
  uint64_t n_rows = 1, capacity = 0;
  for (const ValueInfo &v : graph.values()) {
    if ((v.kind != ValueKind::Input && v.kind != ValueKind::State) || v.dims.size() < 2) continue;
    const uint64_t rows = v.dims[v.dims.size() - 2].value;
    uint64_t &most = v.kind == ValueKind::State ? capacity : n_rows;
    most = std::max(most, rows);
  }
  StepValues steps;
  const uint64_t wanted = capacity == 0 ? 5 : capacity > n_rows ? capacity - n_rows : 0;
  for (size_t i = 0; i < plan.steps.size(); ++i)
    steps[plan.steps[i]] = uint32_t(std::min<uint64_t>(wanted, plan.step_limits[i]));
  return steps;
}

/// 64 + 1500 % 64: what remains of a division by a tile stays.
uint64_t smaller(uint64_t size, uint64_t tier) { return tier + size % tier; }

/// An op's fields as text, without its operands.
class FieldText final : public FieldVisitor {
public:
  std::string text;
  void operand(const char *, Value &) override {}
  void optional_operand(const char *, Value &v) override { text += v ? " +" : " -"; }
  void field(const char *, uint32_t &v, std::optional<uint32_t>) override { text += concat(" ", v); }
  void field(const char *, float &v, std::optional<float>) override { text += concat(" ", v); }
  void field(const char *, bool &v, std::optional<bool>) override { text += concat(" ", v); }
  void field(const char *, StepName &v) override { text += concat(" ", v.name); }
  void choice(const char *, uint32_t &v, std::span<const char *const>) override { text += concat(" ", v); }
};

bool is_norm(const Op &op) {
  const std::string_view name = op.name();
  return name == "layer_norm" || name == "rms_norm";
}

} // namespace

struct CaseMaker::Trial {
  Extract extract;
  KernelCase made;
  uint64_t cost = 0;
};

CaseMaker::CaseMaker(const PlannedGraph &planned) : planned_(planned) {
  types_ = infer_types(planned.graph, planned.plan.bindings, [&](const std::string &name) {
    const WeightInfo *w = planned.weights(name);
    return w ? &w->type : nullptr;
  });
  std::set<uint32_t> dispatching;
  for (const Dispatch &d : planned.plan.dispatches) dispatching.insert(d.statement);
  statements_.assign(dispatching.begin(), dispatching.end());
  for (uint32_t i = 0; i < planned.graph.statements().size(); ++i)
    if (const Statement &s = planned.graph.statements()[i]; !s.state) producers_[s.result.id] = i;
}

std::vector<const Dispatch *> CaseMaker::dispatches(uint32_t statement) const {
  std::vector<const Dispatch *> out;
  for (const Dispatch &d : planned_.plan.dispatches)
    if (d.statement == statement) out.push_back(&d);
  return out;
}

std::vector<vk::KernelVariant> CaseMaker::variants(uint32_t statement) const {
  return variants_of(planned_.caps, dispatches(statement));
}

std::string CaseMaker::signature(uint32_t statement) const {
  const Statement &s = planned_.graph.statements()[statement];
  FieldText fields;
  Op op = s.op;
  op.fields(fields);
  std::string out = s.op.name() + fields.text;
  for (const Value v : operands(s.op)) out += concat(" ", types_[v.id]);
  if (s.state) out += concat(" -> ", types_[s.state.id]);
  for (const vk::KernelVariant &v : variants(statement)) out += concat(" ", print_variant(v));
  return out;
}

std::vector<uint32_t> CaseMaker::with_producers(uint32_t statement, bool all_norms) const {
  // Views and norms within products: statements that dispatch nothing by themselves.
  std::set<uint32_t> all{statement};
  std::vector<uint32_t> open{statement};
  while (!open.empty()) {
    const Statement &s = planned_.graph.statements()[open.back()];
    open.pop_back();
    for (const Value v : operands(s.op)) {
      const auto made = producers_.find(v.id);
      if (made == producers_.end()) continue;
      const bool silent = !std::binary_search(statements_.begin(), statements_.end(), made->second);
      const bool norm = all_norms && is_norm(planned_.graph.statements()[made->second].op);
      if ((silent || norm) && all.insert(made->second).second) open.push_back(made->second);
    }
  }
  return {all.begin(), all.end()};
}

std::optional<CaseMaker::Trial> CaseMaker::attempt(uint32_t statement, std::span<const uint32_t> statements,
                                                   bool copies,
                                                   const std::map<uint64_t, uint64_t> &sizes) const {
  const std::vector<const Dispatch *> wanted = dispatches(statement);
  ExtractOptions options;
  options.resize = [&](uint64_t size) {
    const auto found = sizes.find(size);
    return found == sizes.end() ? size : found->second;
  };
  if (copies) options.copy = [](Value v) { return Op(Copy{v}); };
  try {
    Trial trial{extract(planned_.graph, types_, statements, options), {}, 0};
    const Graph &graph = trial.extract.graph;
    KernelCase &c = trial.made;
    c.graph_text = print_graph(graph);
    c.weights = trial.extract.weights;
    c.origin = trial.extract.origin;
    c.fuse_norms = planned_.caps.fuse_norms;
    c.disabled_kernels = planned_.caps.disabled_kernels;
    c.variants = variants_of(planned_.caps, wanted);
    Plan plan = plan_case(c, graph, planned_.caps);
    std::vector<const Dispatch *> got = of_last_statement(plan);
    if (got.size() != wanted.size()) return std::nullopt;
    if (!do_as_wanted(variants_of(planned_.caps, got), c.variants)) {
      for (size_t i = 0; i < got.size(); ++i) c.preferred.rows[got[i]->key] = wanted[i]->variant();
      plan = plan_case(c, graph, planned_.caps);
      got = of_last_statement(plan);
      if (!do_as_wanted(variants_of(planned_.caps, got), c.variants)) return std::nullopt;
    }
    complete(c, graph, planned_.caps);
    c.variants = variants_of(planned_.caps, wanted);
    c.title = concat(planned_.plan.graph, ": ", planned_.plan.statement_text[statement]);
    uint64_t elements = 0;
    for (const ValueInfo &v : graph.values())
      if (v.kind == ValueKind::State) elements += bind(v, {}).elements();
    for (const PlanValue &out : plan.outputs) elements += out.type.shape.elements();
    for (const auto &[name, type] : c.weights) elements += type.shape.elements();
    trial.cost = flops_of(got) + 4 * elements;
    return trial;
  } catch (const Error &) { // sizes that the op does not take, or memory that cannot be joined
    return std::nullopt;
  }
}

std::optional<KernelCase> CaseMaker::make(uint32_t statement, uint64_t budget) const {
  std::optional<Trial> best;
  std::vector<uint32_t> statements;
  bool copies = false;
  for (const bool norms : {false, true})
    for (const bool with_copies : {false, true}) {
      if (best) break;
      statements = with_producers(statement, norms);
      copies = with_copies;
      best = attempt(statement, statements, copies, {});
    }
  if (!best) return std::nullopt;

  std::set<uint64_t, std::greater<>> dims; // the largest first
  for (const uint32_t s : statements)
    for (const Value v : operands(planned_.graph.statements()[s].op))
      for (const uint64_t d : types_[v.id].shape.dims()) dims.insert(d);
  if (const Value state = planned_.graph.statements()[statement].state)
    for (const uint64_t d : types_[state.id].shape.dims()) dims.insert(d);
  std::map<uint64_t, uint64_t> sizes;
  for (const uint64_t tier : {256, 64})
    for (const uint64_t d : dims) {
      if (best->cost <= budget) return best->made;
      if (smaller(d, tier) >= d) continue;
      std::map<uint64_t, uint64_t> tried = sizes;
      tried[d] = smaller(d, tier);
      if (std::optional<Trial> trial = attempt(statement, statements, copies, tried);
          trial && trial->cost < best->cost) {
        best = std::move(trial);
        sizes = std::move(tried);
      }
    }
  return best->made;
}

std::vector<KernelCase> other_variants(const KernelCase &of, const DeviceCaps &caps) {
  const Graph graph = parse_graph(of.graph_text, op_table());
  const Plan own = plan_case(of, graph, caps);
  std::vector<KernelCase> out;
  std::set<std::vector<vk::KernelVariant>> known{of.variants};
  const auto add = [&](KernelCase other) {
    try {
      const Plan plan = plan_case(other, graph, caps);
      other.variants = variants_of(caps, of_last_statement(plan));
      if (known.insert(other.variants).second) out.push_back(std::move(other));
      return true;
    } catch (const Error &) { // nothing is left that could do it
      return false;
    }
  };
  for (const Dispatch *d : of_last_statement(own))
    for (const VariantId &id : d->among) {
      KernelCase other = of;
      other.preferred.rows[d->key] = id;
      add(std::move(other));
    }
  // What comes when kernels fail: some are no choice, but the next best.
  for (KernelCase rest = of;;) {
    const Plan plan = plan_case(rest, graph, caps);
    for (const Dispatch *d : of_last_statement(plan)) rest.disabled_kernels.insert(uint32_t(d->kernel));
    if (!add(rest)) return out;
  }
}

void complete(KernelCase &c, const Graph &graph, const DeviceCaps &caps) {
  const Plan plan = plan_case(c, graph, caps);
  const std::vector<const Dispatch *> all = of_last_statement(plan);
  c.title = plan.statement_text.back();
  c.variants = variants_of(caps, all);
  c.steps = choose_steps(graph, plan);
  uint64_t elements = 0;
  for (const PlanValue &out : plan.outputs) elements += out.type.shape.elements();
  for (const ValueInfo &v : graph.values())
    if (v.kind == ValueKind::State) elements += bind(v, {}).elements();
  c.terms = std::max<uint64_t>(64, flops_of(all) / std::max<uint64_t>(elements, 1));
}

std::string shapes_of(const KernelCase &c) {
  const Graph graph = parse_graph(c.graph_text, op_table());
  std::string out;
  const auto add = [&](const TensorType &type) {
    out += out.empty() ? "" : " ";
    if (type.encoding != Encoding::F32) out += concat(type.encoding, ":");
    for (int i = 0; i < type.shape.rank(); ++i) out += concat(i ? "x" : "", type.shape[i]);
  };
  for (const ValueInfo &v : graph.values())
    if (v.kind == ValueKind::Input || v.kind == ValueKind::State) add({bind(v, {}), v.encoding});
  for (const auto &[name, type] : c.weights) add(type);
  return out;
}

bool do_as_wanted(std::span<const vk::KernelVariant> got, std::span<const vk::KernelVariant> wanted) {
  return std::equal(got.begin(), got.end(), wanted.begin(), wanted.end(),
                    [](const vk::KernelVariant &is, vk::KernelVariant wish) {
                      const bool enough = is.in_pieces || !wish.in_pieces;
                      wish.in_pieces = is.in_pieces;
                      return enough && is == wish;
                    });
}

void adjust_caps(const KernelCase &c, DeviceCaps &caps) {
  if (std::any_of(c.variants.begin(), c.variants.end(), [](const auto &v) { return v.in_pieces; }))
    caps.least_pieces = 2;
  caps.tuning = std::make_shared<const TuningTable>(c.preferred);
  caps.fuse_norms = c.fuse_norms;
  caps.disabled_kernels = c.disabled_kernels;
}

Plan plan_case(const KernelCase &c, const Graph &graph, const DeviceCaps &caps) {
  DeviceCaps adjusted = caps;
  adjust_caps(c, adjusted);
  const auto weights = lay_out(c.weights);
  const Graph *graphs[] = {&graph};
  return make_plan(
      graph, {},
      [&](const std::string &name) {
        const auto found = weights.find(name);
        return found == weights.end() ? nullptr : &found->second;
      },
      StateLayout::of(graphs, {}), adjusted);
}

} // namespace fovea::check
