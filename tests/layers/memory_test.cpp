// Memory that is not coherent, not cached, full of NaN, guarded, small: mistakes show, and models give the
// same.
#include "layers/support.h"

#include "vk/recording.h"

#include <cstring>

using namespace fovea;
using namespace fovea::test;
using layer::MemoryModel;
using vk::Hazard;

namespace {

void copy(const std::shared_ptr<vk::Device> &device, const vk::Buffer &from, const vk::Buffer &to) {
  vk::Recorder recorder = device->recorder();
  recorder.copy(from, 0, to, 0, from.size_bytes());
  recorder.barrier(Hazard::TransferToHost);
  const vk::Recording recording = recorder.finish();
  vk::Fence fence = device->fence();
  fence.submit(recording.parts());
  fence.wait();
}

bool all_bytes(const vk::Buffer &buffer, int value) {
  const std::vector<std::byte> same(buffer.size_bytes(), std::byte(value));
  return std::memcmp(buffer.data(), same.data(), same.size()) == 0;
}

} // namespace

TEST_CASE("memory: where it is not coherent, a missing flush or invalidate gives other bytes") {
  const Armed layer;
  layer->set_memory({.incoherent = true, .poison = true});
  const auto device = open_device();
  const vk::Buffer from = device->allocate(vk::MemoryKind::Staging, 512, "from"),
                   to = device->allocate(vk::MemoryKind::Readback, 512, "to");
  CHECK_FALSE(from.coherent());
  CHECK(all_bytes(to, 0xFF)); // fresh
  std::memset(from.data(), 7, 512);
  copy(device, from, to); // without a flush
  to.invalidate(0, 512);
  CHECK(all_bytes(to, 0xFF));
  from.flush(0, 512);
  copy(device, from, to);
  CHECK(all_bytes(to, 0xFF)); // not yet invalidated
  to.invalidate(0, 512);
  CHECK(all_bytes(to, 7));
}

TEST_CASE("memory: what is written outside an allocation is reported when it goes") {
  const Armed layer;
  layer->set_memory({.poison = true, .guard = true});
  const auto device = open_device();
  const auto reports = [&](int64_t at) {
    return provoke([&] {
      const vk::Buffer buffer = device->allocate(vk::MemoryKind::Staging, 1000, "test");
      std::memset(buffer.data(), 0, 1000);
      buffer.data()[at] = std::byte(1);
    });
  };
  CHECK(reports(0) == 0);
  CHECK(reports(999) == 0);
  CHECK(reports(-1) == 1);
  CHECK(reports(1000) == 1);
  CHECK(reports(1100) == 1);
}

TEST_CASE("memory: heaps are as large as they are said to be") {
  const Quiet quiet;
  const Armed layer;
  layer->set_memory({.heap_bytes = 1 << 20});
  const auto device = open_device();
  CHECK(device->heap_status().total_bytes == 1 << 20);
  const vk::Buffer half = device->allocate(vk::MemoryKind::Device, 600'000, "half");
  try {
    (void)device->allocate(vk::MemoryKind::Device, 600'000, "more");
    FAIL("no Error");
  } catch (const Error &e) {
    CHECK(e.code() == ErrorCode::OutOfMemory);
  }
}

TEST_CASE("memory: models give the same, whatever it is like") {
  const Quiet quiet;
  for (const Scenario &scenario : scenarios()) {
    const std::vector<int32_t> want = scenario.run();
    for (const bool incoherent : {false, true})
      for (const bool uncached : {false, true}) {
        INFO(concat(scenario.name, incoherent ? ", not coherent" : "", uncached ? ", not cached" : ""));
        const Armed layer;
        const uint64_t before = layer->n_reports();
        layer->set_memory({.incoherent = incoherent, .uncached = uncached, .poison = true, .guard = true});
        layer->check_hazards(layer::HazardMode::Report, false);
        CHECK(scenario.run() == want);
        CHECK(layer->n_reports() == before);
        CHECK(layer->live_objects() == 0);
      }
  }
}
