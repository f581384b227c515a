#include "fuzz/plan_graph.h"

#include "fuzz/harness.h"
#include "graph/plan_work.h"

#include <limits>

namespace fovea::fuzz {
namespace {

/// The least device, a software driver's, and one with all that selection asks for.
const DeviceCaps &caps_of(uint32_t variant) {
  static const DeviceCaps least;
  static const DeviceCaps software = [] {
    DeviceCaps caps;
    caps.type = DeviceType::Software;
    caps.driver_id = kLlvmpipeDriverId;
    caps.subgroup_size = caps.min_subgroup_size = caps.max_subgroup_size = 8;
    caps.subgroup_arithmetic = caps.subgroup_shuffle = caps.subgroup_ballot = true;
    caps.max_workgroup_invocations = 1024;
    caps.max_workgroup_size = {1024, 1024, 64};
    caps.max_shared_memory_bytes = 32768;
    return caps;
  }();
  static const DeviceCaps large = [] {
    DeviceCaps caps = software;
    caps.type = DeviceType::Discrete;
    caps.driver_id = 0;
    caps.subgroup_size = caps.min_subgroup_size = caps.max_subgroup_size = 32;
    caps.max_storage_buffer_range = std::numeric_limits<uint32_t>::max();
    caps.max_storage_buffers = 64;
    caps.max_texel_buffer_elements = 1u << 27;
    caps.shader_f16 = caps.shader_int8 = caps.storage_16bit = caps.integer_dot_product = true;
    return caps;
  }();
  return variant % 3 == 0 ? least : variant % 3 == 1 ? software : large;
}

} // namespace

void plan_graph(const Graph &graph, const WeightLookup &weights, uint32_t variant) {
  Bindings sizes;
  for (const ValueInfo &v : graph.values())
    for (const Dim &d : v.dims)
      if (!d.symbol.empty()) sizes[d.symbol] = d.symbol == "B" ? 1 : variant / 3 % 2 ? 3 : 64;
  const Graph *one[] = {&graph};
  const StateLayout states = StateLayout::of(one, sizes);
  const DeviceCaps &caps = caps_of(variant);
  const Plan plan = make_plan(graph, sizes, weights, states, caps);
  const auto end_of = [&](const Binding &b) {
    return b.space == Space::Scratch ? plan.scratch_bytes
           : b.space == Space::State ? states.bytes
           : b.space == Space::Input ? plan.input_bytes
                                     : std::numeric_limits<uint64_t>::max();
  };
  for (const Dispatch &d : plan.dispatches) {
    if (d.push.size() * 4 > caps.max_push_constant_bytes) finding("too many push constants", dump_plan(plan));
    for (const Binding &b : d.bindings)
      if (b.bytes > caps.max_storage_buffer_range || b.offset > end_of(b) || b.bytes > end_of(b) - b.offset)
        finding("a binding outside its buffer", dump_plan(plan));
  }
}

uint32_t variant_of(std::string_view input) {
  uint32_t hash = 2166136261u;
  for (const char c : input) hash = (hash ^ uint8_t(c)) * 16777619u;
  return hash >> 8;
}

} // namespace fovea::fuzz
