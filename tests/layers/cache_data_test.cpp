// Pipeline-cache data that the driver damages, or refuses: ignored, and the results are right.
#include "layers/support.h"

#include "support/temp_folder.h"

#include <cstring>

using namespace fovea;
using namespace fovea::test;
using layer::CacheDamage;

namespace {

uint64_t n_calls(const char *name) {
  for (uint32_t i = 0; i < test_layer().n_functions(); ++i)
    if (const layer::Function f = test_layer().function(i); !std::strcmp(f.name, name)) return f.n_calls;
  return 0;
}

} // namespace

TEST_CASE("pipeline cache: damaged on its way out of the driver or into it, the results are the same") {
  const Quiet quiet;
  const std::vector<int32_t> want = letters_scenario().run();
  REQUIRE(want.size() > 2);
  size_t n_tried = 0;
  for (const CacheDamage out :
       {CacheDamage::None, CacheDamage::Flip, CacheDamage::Truncate, CacheDamage::Grow})
    for (const CacheDamage in : {CacheDamage::None, CacheDamage::Flip, CacheDamage::Truncate})
      for (const uint64_t where : {5u, 70u, 255u}) { // within the header that every driver's data begins with
        INFO("out ", int(out), ", in ", int(in), " at ", where);
        const TempFolder cache;
        const Scenario scenario = letters_scenario(cache.path());
        const Armed layer;
        layer->damage_cache(out, in, where);
        for (int turn = 0; turn < 2; ++turn) CHECK(scenario.run() == want); // written, then read
        CHECK(layer->live_objects() == 0);
        ++n_tried;
      }
  MESSAGE(n_tried << " ways to damage it");
}

TEST_CASE("pipeline cache: a driver that refuses the data is asked again without") {
  const Quiet quiet;
  const TempFolder cache;
  const Scenario scenario = letters_scenario(cache.path());
  const std::vector<int32_t> want = scenario.run();
  if (cache.n_files() == 0) return; // a driver without cache data
  for (const VkResult result : {VK_ERROR_INITIALIZATION_FAILED, VK_ERROR_OUT_OF_HOST_MEMORY, VK_SUCCESS}) {
    const Armed layer;
    layer->fail("vkCreatePipelineCache", 1, result, false);
    CHECK(scenario.run() == want);
    CHECK(n_calls("vkCreatePipelineCache") == 2);
    CHECK(layer->n_failed() == 1);
  }
}

TEST_CASE("pipeline cache: what another process has stored is taken in") {
  const Quiet quiet;
  const TempFolder cache;
  {
    const Armed layer;
    const auto device = open_device(cache.path());
    device->pipeline_cache().merge_file(); // nothing there yet
    CHECK(n_calls("vkMergePipelineCaches") == 0);
    letters_scenario(cache.path()).run(); // a device of its own
    if (cache.n_files() == 0) return;     // a driver without cache data
    device->pipeline_cache().merge_file();
    CHECK(n_calls("vkMergePipelineCaches") == 1);
    layer->fail("vkMergePipelineCaches", 2, VK_ERROR_OUT_OF_DEVICE_MEMORY, false);
    device->pipeline_cache().merge_file(); // no error
    CHECK(layer->n_failed() == 1);
    const std::string path = device->pipeline_cache().path();
    write_file(path, read_file(path) + "more");
    device->pipeline_cache().merge_file();
    CHECK(n_calls("vkMergePipelineCaches") == 2); // damaged: not even tried
  }
  CHECK(test_layer().live_objects() == 0);
}
