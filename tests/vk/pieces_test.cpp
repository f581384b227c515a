// Grids launched in parts (vkCmdDispatchBase).
#include "tests/vk/layer_norm_case.h"

namespace fovea::vk {

TEST_CASE("a grid is launched in parts by kernels that were made for it alone") {
  const auto device = test::open();
  const LayerNormCase test(*device, 5, 64);
  const KernelVariant whole = test::layer_norm(*device).variant();
  KernelVariant variant = whole;
  variant.in_pieces = true;
  const Kernel &kernel = device->kernels().get(variant);
  Recorder recorder = device->recorder();
  const auto launch = [&](uint32_t first, uint32_t n) {
    DispatchCommand command = test.command(kernel);
    command.base = {first, 0, 0};
    command.groups = {n, 1, 1};
    recorder.barrier(Hazard::ComputeToCompute);
    recorder.dispatch(command);
  };
  launch(3, 2);
  launch(0, 3);
  recorder.barrier(Hazard::ComputeToHost);
  const Recording recording = recorder.finish();
  Fence fence = device->fence();
  fence.submit(recording.parts());
  fence.wait();
  test.check();

  DispatchCommand command = test.command(device->kernels().get(whole));
  command.base = {1, 0, 0};
  CHECK_THROWS_AS(recorder.dispatch(command), Error);
  command = test.command(kernel);
  command.base = {UINT32_MAX, 0, 0};
  CHECK_THROWS_AS(recorder.dispatch(command), Error);
}

} // namespace fovea::vk
