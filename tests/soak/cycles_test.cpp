// Thousands of lives of a device, or of a session on one, each with a run: nothing grows, and nothing is
// left.
#include "soak/footprint.h"
#include "soak/voice.h"

#include "layers/support.h"
#include "support/temp_folder.h"

#include <vector>

using namespace fovea;
using namespace fovea::test;

namespace {

constexpr double kMaxSlope = 0.1 * 1024; // bytes a cycle
constexpr size_t kPoints = 100, kWarm = 20;

struct Slopes {
  double own = 0, heap = 0, resident = 0;
};

/// What a cycle leaves behind, over `n` of them.
Slopes check_cycles(size_t n, const std::function<void()> &cycle) {
  for (size_t i = 0; i < kWarm; ++i) cycle();
  std::vector<double> own, heap, resident;
  for (auto *values : {&own, &heap, &resident}) values->reserve(kPoints);
  const Footprint first = footprint();
  const uint64_t n_objects = test_layer().live_objects();
  const size_t step = std::max<size_t>(1, n / kPoints);
  for (size_t i = 0; i < n; ++i) {
    cycle();
    if ((i + 1) % step != 0) continue;
    const Footprint now = footprint();
    own.push_back(double(now.own_bytes) / double(step));
    heap.push_back(double(now.heap_bytes) / double(step));
    resident.push_back(double(now.resident_bytes) / double(step));
    CHECK(now.n_descriptors == first.n_descriptors);
    CHECK(now.n_threads == first.n_threads);
    CHECK(now.own_blocks == first.own_blocks);
  }
  CHECK(test_layer().live_objects() == n_objects);
  const Slopes slopes{robust_slope(own), robust_slope(heap), robust_slope(resident)};
  MESSAGE(n << " cycles; bytes a cycle: Fovea's own " << slopes.own << ", of the heap " << slopes.heap
            << ", of the process " << slopes.resident);
  CHECK(slopes.own <= kMaxSlope);
  return slopes;
}

void check_devices(size_t n) {
  const Quiet quiet;
  const TempFolder folder, cache;
  for (const Voice &voice : tiny_voices(folder.path())) {
    INFO(voice.name);
    const Heard want = Listening(voice, cache.path()).run();
    (void)check_cycles(n, [&] { CHECK(Listening(voice, cache.path()).run() == want); });
  }
}

void check_sessions(size_t n) {
  const Quiet quiet;
  const TempFolder folder;
  for (const Voice &voice : tiny_voices(folder.path())) {
    INFO(voice.name);
    const auto device = open_device();
    const auto model = Model::open(voice.model_path);
    const auto once = [&] { return Listening(voice, device, model).run(); };
    const Heard want = once();
    const Slopes slopes = check_cycles(n, [&] { CHECK(once() == want); });
    if (n >= 1000) CHECK(slopes.heap <= kMaxSlope); // the driver's included
  }
}

} // namespace

TEST_CASE("cycles: devices that were opened, used and closed leave nothing") { check_devices(30); }
TEST_CASE("cycles: sessions that were made, used and destroyed leave nothing") { check_sessions(100); }

TEST_CASE("cycles: ten thousand devices, or one in ten" * doctest::test_suite("sweep")) {
  check_devices(10'000 / one_in(10));
}
TEST_CASE("cycles: ten thousand sessions, or one in five" * doctest::test_suite("sweep")) {
  check_sessions(10'000 / one_in(5));
}
