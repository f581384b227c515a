// The layer itself: planted mistakes are reported, counted and passed on.
#include "layers/support.h"

#include "api/process.h"
#include "tests/vk/support.h"

#include <cstring>

using namespace fovea;
using namespace fovea::test;

TEST_CASE("layer: it is between Fovea and the driver, and counts") {
  const Armed layer;
  {
    const auto device = open_device();
    CHECK(layer->live_objects() >= 3); // instance, device, pipeline cache
    const vk::Buffer buffer = device->allocate(vk::MemoryKind::Device, 5000, "test");
    CHECK(layer->live_bytes() >= 5000);
  }
  CHECK(layer->live_objects() == 0);
  CHECK(layer->live_bytes() == 0);
  uint64_t n_allocations = 0;
  for (uint32_t i = 0; i < layer->n_functions(); ++i)
    if (!std::strcmp(layer->function(i).name, "vkAllocateMemory")) n_allocations = layer->function(i).n_calls;
  CHECK(n_allocations == 1);
}

TEST_CASE("layer: what is left when its device goes is reported") {
  const uint64_t n = provoke([] {
    const auto device = open_device();
    const vk::Context &c = *device->context();
    const VkFenceCreateInfo info{VK_STRUCTURE_TYPE_FENCE_CREATE_INFO, nullptr, 0};
    VkFence leaked = VK_NULL_HANDLE;
    CHECK(c.fn.CreateFence(c.device, &info, nullptr, &leaked) == VK_SUCCESS);
  });
  CHECK(n == 1);
  CHECK(std::string(test_layer().report(test_layer().n_reports() - 1)) ==
        "VkDevice destroyed with 1 VkFence alive");
}

TEST_CASE("layer: the application's debug messengers hear its reports: they count as validation errors") {
  const vk::test::ScopedEnv both("VK_LAYER_PATH",
                                 FOVEA_TEST_LAYER_FOLDER ":/usr/share/vulkan/explicit_layer.d");
  vk::DeviceOptions options;
  options.cache_folder = "";
  options.validation = vk::Validation::On;
  std::shared_ptr<vk::Device> device;
  try {
    device = vk::Device::open(options);
  } catch (const Error &e) {
    if (vk::test::in_ci()) throw;
    MESSAGE("skipped: " << e.what());
    return;
  }
  const Quiet quiet;
  const uint64_t before = vk::validation_error_count();
  CHECK(provoke([] { test_layer().fail("vkNoSuchFunction", 1, -1, false); }) == 1);
  CHECK(vk::validation_error_count() == before + 1);
}

#ifdef FOVEA_TOOL
TEST_CASE("layer: a program that knows nothing of it runs on it, and fails on its reports when asked to") {
  const std::string tool = quoted(FOVEA_TOOL) + " devices";
  const std::string mistake = "FOVEA_LAYER_FAIL=nonsense ";
  const Finished silent = run_command(tool);
  CHECK(silent.exit_code == 0);
  CHECK(silent.err.find("fovea-layer: ") == std::string::npos);
  const Finished told = run_command(mistake + tool);
  CHECK(told.exit_code == 0);
  CHECK(told.err.find("fovea-layer: FOVEA_LAYER_FAIL: not understood: nonsense") != std::string::npos);
  CHECK(run_command(mistake + "FOVEA_LAYER_EXIT=1 " + tool).exit_code == layer::kExitStatus);
  CHECK(run_command("FOVEA_LAYER_EXIT=1 " + tool).exit_code == 0);
  CHECK(run_command("FOVEA_LAYER_FAIL=vkCreateInstance:1+:-1 " + tool).exit_code != 0);
}
#endif
