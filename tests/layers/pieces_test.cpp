// On a device that is taken for a slow one, grids are launched in parts and runs in many submits: the same
// comes out, and no barrier is missing.
#include "layers/support.h"

#include "support/temp_folder.h"

#include <cstdlib>

using namespace fovea;
using namespace fovea::test;

namespace {

struct Calls {
  uint64_t submits = 0, launches = 0, launches_in_parts = 0;
};

Calls calls() {
  Calls out;
  for (uint32_t i = 0; i < test_layer().n_functions(); ++i) {
    const layer::Function f = test_layer().function(i);
    const std::string_view name = f.name;
    if (name == "vkQueueSubmit") out.submits = f.n_calls;
    if (name == "vkCmdDispatch") out.launches = f.n_calls;
    if (name == "vkCmdDispatchBase") out.launches_in_parts = f.n_calls;
  }
  return out;
}

} // namespace

TEST_CASE("pieces: at an assumed speed of next to nothing, everything is cut and right") {
  const Quiet quiet;
  TempFolder folder;
  const std::string slow = folder / "slow.txt";
  write_file(slow, "flops_per_s = 100000\nbytes_per_s = 100000\n");
  for (const Scenario &scenario : scenarios()) {
    INFO(scenario.name);
    Armed layer;
    const std::vector<int32_t> expected = scenario.run();
    const Calls usual = calls();
    CHECK(usual.launches_in_parts == 0);
    layer->reset();
    layer->check_hazards(layer::HazardMode::Report, false);
    const uint64_t reports = layer->n_reports();
    setenv("FOVEA_PRETEND", slow.c_str(), 1);
    const std::vector<int32_t> got = scenario.run();
    unsetenv("FOVEA_PRETEND");
    CHECK(got == expected);
    const Calls cut = calls();
    CHECK(cut.launches_in_parts > 20);
    CHECK(cut.submits > usual.submits + 8);
    CHECK(layer->n_reports() == reports);
  }
}
