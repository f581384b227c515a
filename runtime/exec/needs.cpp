#include "exec/needs.h"

#include "exec/cache_encoding.h"

#include <optional>

namespace fovea {
namespace {

/// Of each symbol, by how many symbols a graph has; around them selection decides between strategies.
std::vector<uint64_t> sizes_to_try(size_t n_symbols) {
  if (n_symbols <= 1) return {1, 2, 4, 6, 9, 40, 130, 448, 1500, 8000, 64000, 320000};
  if (n_symbols == 2) return {1, 4, 9, 130, 1500};
  return {1, 9, 130};
}

/// A device that has what kernels may ask for, with subgroups of so many lanes.
DeviceCaps device(uint32_t lanes, bool fast_texels) {
  DeviceCaps caps;
  caps.name = concat("a device with subgroups of ", lanes);
  caps.type = lanes <= 16 ? DeviceType::Software : DeviceType::Discrete;
  caps.driver_id = fast_texels ? kLlvmpipeDriverId : 0;
  caps.max_storage_buffer_range = 1ull << 31;
  caps.storage_offset_alignment = caps.texel_offset_alignment = 16;
  caps.max_workgroup_invocations = 1024;
  caps.max_workgroup_size = {1024, 1024, 64};
  caps.max_shared_memory_bytes = 48 << 10;
  caps.max_texel_buffer_elements = 1u << 27;
  caps.subgroup_size = caps.min_subgroup_size = caps.max_subgroup_size = lanes;
  caps.subgroup_arithmetic = caps.subgroup_shuffle = caps.subgroup_ballot = true;
  caps.shader_f16 = caps.shader_int8 = caps.storage_16bit = caps.integer_dot_product = true;
  caps.unified_memory = true;
  return caps;
}

std::vector<DeviceCaps> devices() {
  std::vector<DeviceCaps> all;
  for (const uint32_t lanes : {4, 8, 16, 32, 64})
    for (const bool fast_texels : {false, true}) all.push_back(device(lanes, fast_texels));
  DeviceCaps sums_only = device(32, false);
  sums_only.subgroup_shuffle = false;
  DeviceCaps plain = device(32, false);
  plain.shader_f16 = plain.shader_int8 = plain.storage_16bit = plain.integer_dot_product = false;
  DeviceCaps few_texels = device(8, true);
  few_texels.max_texel_buffer_elements = 65536;
  all.insert(all.end(), {sums_only, plain, few_texels});
  return all;
}

class Collector {
public:
  Collector(const Model &model, std::vector<Graph> graphs, Needs &needs)
      : model_(model), graphs_(std::move(graphs)), needs_(needs) {}

  void collect() {
    for (const Graph &graph : graphs_)
      for (const Statement &s : graph.statements()) needs_.ops.insert(s.op.name());

    // The least device takes what needs no feature, and so what is left when a driver refuses the rest.
    const std::set<uint32_t> least = plan_all({}, true);
    for (const uint32_t kernel : least) {
      DeviceCaps caps;
      caps.disabled_kernels = {kernel};
      plan_all(caps, false);
    }
    for (DeviceCaps caps : devices())
      for (size_t n = 0;;) {
        for (const uint32_t kernel : plan_all(caps, false))
          if (!least.contains(kernel)) caps.disabled_kernels.insert(kernel);
        if (caps.disabled_kernels.size() == n) break;
        n = caps.disabled_kernels.size();
      }
  }

private:
  /// The kernels of all graphs' plans. `must`: Error when a graph has none.
  std::set<uint32_t> plan_all(const DeviceCaps &caps, bool must) {
    std::set<uint32_t> used;
    for (const Graph &graph : graphs_) {
      std::optional<Error> failed;
      size_t n_plans = 0;
      for (const Bindings &sizes : sizes_of(graph)) {
        try {
          plan(graph, sizes, caps, used);
          ++n_plans;
        } catch (const Error &error) {
          failed = error;
        }
      }
      if (must && n_plans == 0) throw *failed;
    }
    for (const uint32_t kernel : used) needs_.kernels.insert(KernelId(kernel));
    return used;
  }

  void plan(const Graph &graph, const Bindings &sizes, const DeviceCaps &caps,
            std::set<uint32_t> &used) const {
    std::vector<const Graph *> all;
    for (const Graph &g : graphs_) all.push_back(&g);
    const StateLayout states = StateLayout::of(all, sizes);
    const auto weights = [&](const std::string &name) { return model_.find_weight(name); };
    std::set<std::string> every_output;
    for (const Statement &s : graph.statements())
      if (s.is_output) every_output.insert(graph.value(s.result).name);
    for (const PlanOptions &options : {PlanOptions{}, PlanOptions{every_output}})
      for (const Dispatch &d : make_plan(graph, sizes, weights, states, caps, options).dispatches)
        used.insert(uint32_t(d.kernel));
  }

  /// Every combination for the graph's own symbols; 1 for the others, which states may have.
  std::vector<Bindings> sizes_of(const Graph &graph) const {
    std::vector<Bindings> all(1);
    std::set<std::string> own;
    for (const Graph &g : graphs_)
      for (const ValueInfo &v : g.values())
        for (const Dim &d : v.dims) {
          if (d.symbol.empty()) continue;
          all[0][d.symbol] = 1;
          if (&g == &graph) own.insert(d.symbol);
        }
    for (const std::string &symbol : own) {
      std::vector<Bindings> more;
      for (const Bindings &some : all)
        for (const uint64_t size : sizes_to_try(own.size())) {
          more.push_back(some);
          more.back()[symbol] = size;
        }
      all = std::move(more);
    }
    return all;
  }

  const Model &model_;
  std::vector<Graph> graphs_;
  Needs &needs_;
};

} // namespace

Needs needs_of(const Model &model) {
  Needs needs;
  naming(model, [&] { Collector(model, model.graphs(), needs).collect(); });
  // Sessions may keep keys and values otherwise than the file says, where the ops can read them so.
  for (const Encoding encoding : {Encoding::F32, Encoding::F16, Encoding::Q8}) {
    try {
      std::vector<Graph> graphs = with_cache_encoding(model.graphs(), encoding);
      const auto same = [](const Graph &a, const Graph &b) { return print_graph(a) == print_graph(b); };
      if (!std::equal(graphs.begin(), graphs.end(), model.graphs().begin(), same))
        Collector(model, std::move(graphs), needs).collect();
    } catch (const Error &) { // then no session does
    }
  }
  return needs;
}

} // namespace fovea
