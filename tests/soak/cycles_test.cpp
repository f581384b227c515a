// Thousands of lives of a device, or of a session on one, each with a run: nothing grows, and nothing is
// left.
#include "soak/footprint.h"
#include "soak/voice.h"

#include "layers/support.h"
#include "support/share.h"
#include "support/temp_folder.h"

#include <chrono>
#include <thread>
#include <vector>

using namespace fovea;
using namespace fovea::test;

namespace {

constexpr double kMaxSlope = 0.1 * 1024; // bytes a cycle
constexpr size_t kPoints = 100, kWarm = 5;

/// Once threads that work ahead have come to their end, for which they have two seconds.
Footprint footprint_like(const Footprint &first) {
  Footprint now = footprint();
  for (int i = 0; i < 200 && (now.n_threads != first.n_threads || now.own_blocks != first.own_blocks); ++i) {
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
    now = footprint();
  }
  return now;
}

/// What a cycle leaves behind, over `n` of them.
void check_cycles(size_t n, const std::function<void()> &cycle) {
  for (size_t i = 0; i < kWarm; ++i) cycle();
  std::vector<double> own, heap, resident;
  for (auto *values : {&own, &heap, &resident}) values->reserve(kPoints);
  std::this_thread::sleep_for(std::chrono::seconds(1)); // for threads that work ahead
  const Footprint first = footprint();
  const uint64_t n_objects = test_layer().live_objects();
  const size_t step = std::max<size_t>(1, n / kPoints);
  for (size_t i = 0; i < n; ++i) {
    cycle();
    if ((i + 1) % step != 0) continue;
    const Footprint now = footprint_like(first);
    own.push_back(double(now.own_bytes) / double(step));
    heap.push_back(double(now.heap_bytes) / double(step));
    resident.push_back(double(now.resident_bytes) / double(step));
    REQUIRE(now.n_descriptors == first.n_descriptors);
    REQUIRE(now.n_threads == first.n_threads);
    REQUIRE(now.own_blocks == first.own_blocks);
  }
  CHECK(test_layer().live_objects() == n_objects);
  const double slope = robust_slope(own);
  MESSAGE(n << " cycles; bytes a cycle: Fovea's own " << slope << ", of the heap " << robust_slope(heap)
            << ", of the process " << robust_slope(resident));
  CHECK(slope <= kMaxSlope);
}

void check_devices(size_t n) {
  const Quiet quiet;
  const TempFolder folder, cache;
  const Voice voice = letters_voice(folder.path());
  const Heard want = Listening(voice, cache.path()).run();
  check_cycles(n, [&] { CHECK(Listening(voice, cache.path()).run() == want); });
}

/// On a device that stays open, with pages of the file imported, where the driver can.
void check_sessions(size_t n) {
  const Quiet quiet;
  const TempFolder folder;
  const Voice voice = windows_voice(folder.path());
  const auto device = open_device();
  const auto model = Model::open(voice.model_path);
  const auto once = [&] { return Listening(voice, device, model).run(); };
  const Heard want = once();
  check_cycles(n, [&] { CHECK(once() == want); });
}

} // namespace

TEST_CASE("cycles: devices that were opened, used and closed leave nothing") { check_devices(10); }
TEST_CASE("cycles: sessions that were made, used and destroyed leave nothing") { check_sessions(100); }

TEST_CASE("cycles: ten thousand devices, or a share" * doctest::test_suite("sweep")) {
  check_devices(10'000 / one_in(50));
}
TEST_CASE("cycles: ten thousand sessions, or a share" * doctest::test_suite("sweep")) {
  check_sessions(10'000 / one_in(50));
}
