// What a library for certain models is linked of.
#include "exec/needs.h"
#include "kernels/catalogue.h"
#include "support/temp_folder.h"
#include "support/tiny_ctc_model.h"

#include <doctest/doctest.h>

using namespace fovea;
using namespace fovea::test;

namespace {

constexpr const char *kModel = FOVEA_SOURCE_DIR "/samples/models/speech-en.fovea.gguf";

DeviceCaps device(uint32_t lanes, uint32_t driver_id, std::set<uint32_t> disabled) {
  DeviceCaps caps;
  caps.type = DeviceType::Integrated;
  caps.driver_id = driver_id;
  caps.max_workgroup_invocations = 256;
  caps.max_workgroup_size = {256, 256, 64};
  caps.max_texel_buffer_elements = 1u << 24;
  caps.storage_offset_alignment = 64;
  caps.subgroup_size = caps.min_subgroup_size = caps.max_subgroup_size = lanes;
  caps.subgroup_arithmetic = caps.subgroup_shuffle = caps.subgroup_ballot = lanes != 0;
  caps.disabled_kernels = std::move(disabled);
  return caps;
}

} // namespace

TEST_CASE("needs: whatever a device takes for the bundled model is among them") {
  const Model model(kModel);
  const Needs needs = needs_of(model);
  const auto weights = [&](const std::string &name) { return model.find_weight(name); };
  std::vector<const Graph *> graphs;
  for (const Graph &g : model.graphs()) graphs.push_back(&g);
  size_t n_checked = 0;
  for (const uint32_t lanes : {0, 4, 8, 16, 32, 64})
    for (const uint32_t driver_id : {0u, kLlvmpipeDriverId})
      for (const uint64_t n : {2003, 5003, 20480, 65537, 300000})
        for (const KernelId refused : needs.kernels) {
          if (n != 20480 && refused != *needs.kernels.begin()) continue;
          const DeviceCaps caps = device(lanes, driver_id, {uint32_t(refused)});
          try {
            const Bindings sizes{{"N", n}};
            const Plan plan =
                make_plan(model.graph("window"), sizes, weights, StateLayout::of(graphs, sizes), caps);
            for (const Dispatch &d : plan.dispatches) {
              CAPTURE(to_string(d.kernel));
              CHECK(needs.kernels.contains(d.kernel));
              ++n_checked;
            }
          } catch (const Error &e) { // a kernel that nothing stands in for
            CHECK(e.code() == ErrorCode::Unsupported);
          }
        }
  CHECK(n_checked > 10000);
  for (const KernelId kernel :
       {KernelId::linear_base_q4, KernelId::linear_subgroup_q4, KernelId::linear_texel_q4,
        KernelId::attention_base, KernelId::attention_texel, KernelId::softmax_subgroup})
    CHECK(needs.kernels.contains(kernel));
  for (const KernelId kernel : {KernelId::linear_base_q8, KernelId::gru_f32, KernelId::measure_fma_8})
    CHECK_FALSE(needs.kernels.contains(kernel));
  CHECK(needs.ops.contains("attention"));
  CHECK_FALSE(needs.ops.contains("embed"));
}

TEST_CASE("needs: of a graph that no plan can be made of, an error") {
  const TempFolder folder;
  const std::string path = folder / "odd.gguf";
  write_tiny_ctc_model(
      path, {{}, [](std::string &graph) { graph.replace(graph.find("kernel_w=40"), 11, "kernel_w=99"); }});
  const Model model(path);
  CHECK_THROWS_WITH_AS(needs_of(model), doctest::Contains("odd.gguf"), Error);
}
