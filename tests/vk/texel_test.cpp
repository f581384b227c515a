// Texel buffers, the step parameters and a declared but unused binding, end to end.
#include "tests/vk/support.h"
#include "texel_spirv.h"

namespace fovea::vk {

TEST_CASE("texel buffers and step parameters") {
  const uint64_t before = validation_error_count();
  const KernelInterface interface = reflect(k_texel, "texel");
  REQUIRE(interface.bindings.size() == 4); // not the unused one
  CHECK(interface.find(0)->type == BindingType::TexelBuffer);
  CHECK(interface.find(0)->texel == TexelType::Float);
  CHECK(interface.find(1)->texel == TexelType::Uint);
  CHECK(interface.find(2) == nullptr);
  CHECK(interface.find(3)->reads);
  CHECK(interface.find(3)->writes);
  CHECK(interface.find(4)->type == BindingType::UniformBuffer);
  CHECK(interface.push_constant_bytes == 24);
  CHECK(interface.spec_ids == std::vector<uint32_t>{0, 1});

  const auto device = test::open();
  const Kernel kernel(device->context(), {KernelId::layer_norm, {32, 1000}, 0}, VK_NULL_HANDLE, k_texel);
  constexpr uint32_t kTexels = 50, kFloats = 4 * kTexels, kSlot = 5;
  const uint64_t bytes = kFloats * sizeof(float), at = 256;
  const Buffer a = device->allocate(MemoryKind::Shared, at + bytes, "a");
  const Buffer w = device->allocate(MemoryKind::Shared, bytes, "w");
  const Buffer y = device->allocate(MemoryKind::Readback, bytes, "y");
  const Buffer steps = device->allocate(MemoryKind::Staging, 128, "steps");
  for (uint32_t i = 0; i < kFloats; ++i) {
    test::floats(a)[at / 4 + i] = float(i) * 0.5f;
    reinterpret_cast<uint32_t *>(w.data())[i] = 1 + i;
  }
  a.flush(0, a.size_bytes());
  w.flush(0, w.size_bytes());

  struct {
    uint32_t n = kTexels, slot = kSlot;
    float scales[3] = {0, 0, 2};
    uint32_t last = 0;
  } params;
  DispatchCommand command;
  command.kernel = &kernel;
  command.bindings = {{0, &a, at, bytes}, {1, &w, 0, bytes}, {3, &y, 0, bytes}, {4, &steps, 0, 128}};
  command.push_constants = test::bytes_of(params);
  command.groups = {2, 1, 1};
  Recorder recorder = device->recorder();
  DispatchCommand ragged = command;
  ragged.bindings[1].size_bytes = 24;
  CHECK(test::says(test::error_of([&] { recorder.dispatch(ragged); }), "no whole number of 16-byte texels"));
  recorder.dispatch(command);
  recorder.barrier(Hazard::ComputeToHost);
  const Recording recording = recorder.finish();
  Fence fence = device->fence();
  for (uint32_t step : {0u, 3u, 70000u}) { // no recording in between
    reinterpret_cast<uint32_t *>(steps.data())[kSlot] = step;
    steps.flush(0, 128);
    fence.submit(recording.parts());
    fence.wait();
    y.invalidate(0, bytes);
    bool same = true;
    for (uint32_t i = 0; i < kFloats; ++i)
      same = same && test::floats(y)[i] == float(i) * 0.5f * float(step) * 2.0f + float(1 + i) + 1000.0f;
    CHECK(same);
  }
  CHECK(validation_error_count() == before);
}

} // namespace fovea::vk
