// Every statement that golden models dispatch, on devices of many kinds, has a small case of its own that
// leads to the very same kernels.
#include "check/kernel_case.h"

#include "models/golden.h"
#include "ops/registry.h"
#include "support/forged_devices.h"

#include <doctest/doctest.h>

using namespace fovea;
using namespace fovea::check;
using test::forged_devices;

namespace {

/// How many statements of a graph have a case that leads to the very kernels, and the names of those that
/// have none.
struct Covered {
  size_t n = 0, n_in_pieces = 0;
  uint64_t most_flops = 0;
  std::string missing;
};

void cover(Covered &out, const PlannedGraph &planned) {
  const CaseMaker maker(planned);
  for (const uint32_t statement : maker.statements()) {
    const auto made = maker.make(statement, kSmallCase);
    if (!made) {
      out.missing += concat(planned.plan.graph, ": ", planned.plan.statement_text[statement], " on ",
                            planned.caps.name, "\n");
      continue;
    }
    ++out.n;
    const Graph graph = parse_graph(made->graph_text, op_table());
    const Plan plan = plan_case(*made, graph, planned.caps);
    std::vector<vk::KernelVariant> got;
    uint64_t flops = 0;
    for (const Dispatch &d : plan.dispatches)
      if (d.statement + 1 == graph.statements().size()) {
        got.push_back(kernel_variant(planned.caps, d));
        flops += d.flops;
      }
    CHECK(made->variants == maker.variants(statement));
    CHECK(do_as_wanted(got, made->variants));
    CHECK(parse_cases(print_cases({&*made, 1})).at(0).variants == made->variants);
    for (const vk::KernelVariant &v : made->variants) out.n_in_pieces += v.in_pieces;
    out.most_flops = std::max(out.most_flops, flops);
  }
}

} // namespace

TEST_CASE("kernel cases: small ones stand for all that golden models run") {
  for (const char *name : {"llama", "whisper", "vit", "resnet", "t5", "lstm_attention"}) {
    const std::string folder = test::shared_path(concat("golden/cases/", name));
    if (folder.empty()) return;
    const auto model = test::converted(folder, Encoding::Q8);
    const WeightLookup weights = [&](const std::string &n) { return model->find_weight(n); };
    std::vector<const Graph *> graphs;
    for (const Graph &g : model->graphs()) graphs.push_back(&g);
    Covered covered;
    std::vector<DeviceCaps> devices = forged_devices();
    devices.push_back(devices[0]);
    devices.back().flops_per_s = 1'000'000; // its grids are cut
    for (const DeviceCaps &caps : devices)
      for (const uint64_t size : {1, 9, 130}) {
        Bindings sizes;
        for (const Graph *g : graphs)
          for (const ValueInfo &v : g->values())
            for (const Dim &d : v.dims)
              if (!d.symbol.empty()) sizes[d.symbol] = d.symbol == "B" || d.symbol == "G" ? 1 : size;
        for (const Graph *g : graphs) {
          std::optional<Plan> plan;
          StateLayout states;
          try {
            states = StateLayout::of(graphs, sizes);
            plan = make_plan(*g, sizes, weights, states, caps);
          } catch (const Error &) { // not at these sizes
            continue;
          }
          cover(covered, {*g, *plan, weights, caps});
        }
      }
    INFO(name);
    CHECK(covered.missing == "");
    CHECK(covered.n > 50);
    CHECK(covered.n_in_pieces > 5);
    CHECK(covered.most_flops <= 4 * kSmallCase); // some become other kernels when they shrink
  }
}
