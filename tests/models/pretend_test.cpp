// Plans under the limits of every profile: no device needed, since planning is a function of limits. Whatever
// is planned is held against the profile itself, by what the kernels' SPIR-V declares.
#include "base/device_profile.h"
#include "kernels/catalogue.h"
#include "models/golden.h"
#include "support/workgroup_memory.h"
#include "vk/caps_query.h"
#include "vk/reflect.h"
#include "vk/specialize.h"

#include <doctest/doctest.h>
#include <set>

using namespace fovea;
using namespace fovea::test;

namespace {

enum Capability : uint32_t { kArithmetic = 63, kBallot = 64, kShuffle = 65 };

/// The pretended device itself: as wide as the profile says, with all that it does not deny.
DeviceCaps forged(const BuiltinProfile &builtin) {
  const DeviceProfile profile = load_profile(builtin.name);
  DeviceCaps caps;
  caps.max_storage_buffer_range = caps.max_allocation_bytes = 1ull << 32;
  caps.storage_offset_alignment = caps.uniform_offset_alignment = caps.texel_offset_alignment = 16;
  caps.max_storage_buffers = 1000;
  caps.max_push_constant_bytes = 4096;
  caps.max_workgroup_invocations = 1024;
  caps.max_workgroup_size = {1024, 1024, 64};
  caps.max_workgroup_count = {UINT32_MAX, 65535, 65535};
  caps.max_shared_memory_bytes = 64 << 10;
  caps.max_texel_buffer_elements = 1u << 29;
  caps.timestamp_period_ns = 1;
  caps.subgroup_size = 32;
  for (const DeviceProfile::Value &v : profile.values)
    if (v.field == "subgroup_size") caps.subgroup_size = uint32_t(v.numbers[0]);
  caps.min_subgroup_size = caps.max_subgroup_size = caps.subgroup_size;
  caps.subgroup_arithmetic = caps.subgroup_shuffle = caps.subgroup_ballot = true;
  caps.shader_f16 = caps.shader_int8 = caps.storage_16bit = caps.integer_dot_product = true;
  caps.subgroup_size_control = caps.unified_memory = caps.host_pointer_import = true;
  clamp(caps, profile);
  return caps;
}

const vk::KernelInterface &interface_of(KernelId id) {
  static std::map<KernelId, vk::KernelInterface> known;
  auto found = known.find(id);
  if (found == known.end()) found = known.emplace(id, vk::reflect(spirv(id), to_string(id))).first;
  return found->second;
}

uint64_t shared_bytes(const Dispatch &d) {
  static std::map<std::pair<KernelId, std::vector<uint32_t>>, uint64_t> known;
  const auto [found, is_new] = known.try_emplace({d.kernel, d.spec});
  if (is_new) {
    const std::vector<uint32_t> words = vk::specialize(spirv(d.kernel), d.spec);
    REQUIRE(!words.empty());
    found->second = workgroup_memory_bytes(words);
  }
  return found->second;
}

/// What is beyond the limits, or empty.
std::string excess(const Dispatch &d, const DeviceCaps &caps) {
  const vk::KernelInterface &kernel = interface_of(d.kernel);
  uint64_t invocations = 1, n_storage = 0;
  for (size_t i = 0; i < 3; ++i) {
    const int32_t spec = kernel.local_size_spec[i];
    const uint32_t size = spec < 0 ? kernel.local_size[i] : d.spec.at(size_t(spec));
    invocations *= size;
    if (size == 0 || size > caps.max_workgroup_size[i]) return concat("workgroup size ", size);
    if (d.groups[i] == 0 || d.groups[i] > caps.max_workgroup_count[i]) return concat("groups ", d.groups[i]);
  }
  if (invocations > caps.max_workgroup_invocations) return concat("invocations ", invocations);
  if (shared_bytes(d) > caps.max_shared_memory_bytes) return concat("shared memory ", shared_bytes(d));
  if (d.push.size() * 4 > caps.max_push_constant_bytes) return concat("push constants ", d.push.size() * 4);
  for (const Binding &b : d.bindings) {
    const vk::KernelBinding *declared = kernel.find(b.slot);
    if (!declared) return concat("slot ", b.slot);
    const bool texels = declared->type == vk::BindingType::TexelBuffer;
    n_storage += !texels;
    if (b.offset % (texels ? caps.texel_offset_alignment : caps.storage_offset_alignment))
      return concat("offset ", b.offset);
    const uint64_t most = texels ? caps.max_texel_buffer_elements * vk::texel_bytes(declared->texel)
                                 : caps.max_storage_buffer_range;
    if (b.bytes > most) return concat("range ", b.bytes);
  }
  if (n_storage > caps.max_storage_buffers) return concat("storage buffers ", n_storage);
  for (const auto &[capability, has] : {std::pair{kArithmetic, caps.subgroup_arithmetic},
                                        {kBallot, caps.subgroup_ballot},
                                        {kShuffle, caps.subgroup_shuffle}})
    if (kernel.has_capability(capability) && !(has && caps.fixed_subgroups()))
      return concat("subgroup capability ", uint32_t(capability));
  return {};
}

struct Count {
  size_t n_plans = 0, n_dispatches = 0;
};

/// Plans of all graphs, at sizes from one to many: thousands where a graph's tensors have one such side.
void check_plans(const Model &model, const DeviceCaps &caps, Count &count) {
  std::vector<const Graph *> graphs;
  std::set<std::string> symbols;
  for (const Graph &g : model.graphs()) {
    graphs.push_back(&g);
    for (const ValueInfo &v : g.values())
      for (const Dim &d : v.dims)
        if (!d.symbol.empty()) symbols.insert(d.symbol);
  }
  const auto weights = [&](const std::string &name) { return model.find_weight(name); };
  for (const Graph *graph : graphs)
    for (const uint64_t size : {1, 5, 33, 400, 4000}) {
      if (size > 400 && symbols.size() > 1) continue;
      Bindings sizes;
      for (const std::string &symbol : symbols) sizes[symbol] = symbol == "B" ? 1 : size;
      Plan plan;
      try {
        plan = make_plan(*graph, sizes, weights, StateLayout::of(graphs, sizes), caps);
      } catch (const Error &e) { // sizes that do not fit each other, on any device
        CHECK_MESSAGE(e.code() == ErrorCode::InvalidGraph, std::string(e.what()));
        continue;
      }
      ++count.n_plans;
      for (const Dispatch &d : plan.dispatches) {
        ++count.n_dispatches;
        if (const std::string what = excess(d, caps); !what.empty())
          FAIL_CHECK(concat(caps.name, ", ", graph->name(), ", ", plan.statement_text[d.statement], ": ",
                            to_string(d.kernel), " is beyond the limit: ", what));
      }
    }
}

} // namespace

TEST_CASE("pretend: no plan of a golden model uses anything beyond any profile") {
  for (const BuiltinProfile &builtin : builtin_profiles()) {
    const DeviceCaps caps = forged(builtin);
    CHECK(vk::rejection(caps) == "");
    Count count;
    for (const char *name :
         {"whisper", "wav2vec2_ctc", "llama", "gemma3", "gpt2", "bert", "t5", "bart", "vit", "clip", "detr",
          "yolos", "segformer", "mobilenet_v2", "resnet", "lstm_attention", "caption"}) {
      const std::string folder = shared_path(concat("golden/cases/", name));
      if (folder.empty()) return;
      INFO(std::string(name));
      for (const Encoding encoding : {Encoding::F32, Encoding::Q8})
        check_plans(*converted(folder, encoding), caps, count);
    }
    MESSAGE(concat(builtin.name, ": ", count.n_plans, " plans, ", count.n_dispatches, " dispatches"));
    CHECK(count.n_plans > 50);
  }
}

TEST_CASE("pretend: what is beyond a profile is seen") {
  const std::string folder = shared_path("golden/cases/llama");
  if (folder.empty()) return;
  const auto model = converted(folder, Encoding::F32);
  const DeviceCaps caps = forged(builtin_profiles()[0]);
  std::vector<const Graph *> graphs;
  for (const Graph &g : model->graphs()) graphs.push_back(&g);
  Bindings sizes{{"B", 1}, {"T", 4}};
  for (const Graph *g : graphs)
    for (const ValueInfo &v : g->values())
      for (const Dim &d : v.dims)
        if (!d.symbol.empty()) sizes.try_emplace(d.symbol, 4);
  const Plan plan = make_plan(
      *graphs[0], sizes, [&](const std::string &name) { return model->find_weight(name); },
      StateLayout::of(graphs, sizes), caps);
  REQUIRE(!plan.dispatches.empty());
  const Dispatch &fine = plan.dispatches[0];
  REQUIRE(excess(fine, caps) == "");
  Dispatch d = fine;
  d.groups[1] = 65536;
  CHECK(excess(d, caps) == "groups 65536");
  d = fine;
  d.push.resize(33);
  CHECK(excess(d, caps) == "push constants 132");
  d = fine;
  d.bindings[0].offset += 4;
  CHECK(excess(d, caps).find("offset ") == 0);
  d = fine;
  d.bindings[0].bytes = (128ull << 20) + 1;
  CHECK(excess(d, caps).find("range ") == 0);
  DeviceCaps less = caps;
  less.max_storage_buffers = 1;
  CHECK(excess(fine, less).find("storage buffers ") == 0);
  less = caps;
  less.max_workgroup_invocations = 16;
  CHECK(excess(fine, less).find("invocations ") == 0);
  bool any_shared = false;
  less = caps;
  less.max_shared_memory_bytes = 1;
  for (const Dispatch &each : plan.dispatches) any_shared |= excess(each, less).find("shared memory ") == 0;
  CHECK(any_shared);
}
