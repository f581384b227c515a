// Grids are cut into parts that cover them once, none longer than a watchdog allows.
#include "graph/pieces.h"

#include <doctest/doctest.h>
#include <span>

using namespace fovea;

namespace {

Dispatch dispatch(std::array<uint32_t, 3> groups, uint64_t flops, uint64_t read = 0, uint64_t written = 0) {
  Dispatch d;
  d.groups = groups;
  d.flops = flops;
  if (read) d.touched.push_back({0, Space::Weights, 0, read, Access::Read});
  if (written) d.touched.push_back({1, Space::Scratch, 0, written, Access::Write});
  return d;
}

/// How often each workgroup of the grid is launched.
std::vector<int> launches(std::array<uint32_t, 3> groups, std::span<const Piece> pieces) {
  const size_t n = size_t(groups[0]) * groups[1] * groups[2];
  std::vector<int> out(n);
  for (const Piece &p : pieces)
    for (uint32_t z = p.base[2]; z < p.base[2] + p.groups[2]; ++z)
      for (uint32_t y = p.base[1]; y < p.base[1] + p.groups[1]; ++y)
        for (uint32_t x = p.base[0]; x < p.base[0] + p.groups[0]; ++x)
          ++out.at((size_t(z) * groups[1] + y) * groups[0] + x);
  return out;
}

} // namespace

TEST_CASE("pieces: each workgroup is launched once, whatever the grid") {
  for (const std::array<uint32_t, 3> groups :
       {std::array<uint32_t, 3>{1, 1, 1}, {7, 1, 1}, {1, 7, 1}, {1, 1, 7}, {5, 3, 2}, {64, 1, 3}, {3, 50, 4}})
    for (const uint64_t n : {1, 2, 3, 6, 7, 100}) {
      const std::vector<Piece> pieces = cut(groups, n);
      for (const int times : launches(groups, pieces)) CHECK(times == 1);
      uint64_t total = 0;
      for (const Piece &p : pieces) {
        CHECK(p.n_groups() > 0);
        total += p.n_groups();
        // Shaders count rows by gl_NumWorkGroups.x.
        if (groups[1] > 1) CHECK(p.groups[0] == groups[0]);
      }
      CHECK(total == uint64_t(groups[0]) * groups[1] * groups[2]);
      const uint64_t most = uint64_t(groups[1] > 1 ? 1 : groups[0]) * groups[1] * groups[2];
      CHECK(pieces.size() >= std::min(n, most));
    }
}

TEST_CASE("pieces: as many as keep each below the limit") {
  DeviceCaps caps;
  caps.flops_per_s = 1'000'000'000;
  caps.bytes_per_s = 1'000'000'000;
  const Dispatch small = dispatch({100, 1, 1}, 20'000'000);
  CHECK(estimated_seconds(caps, small) == doctest::Approx(0.02).epsilon(0.01));
  CHECK(pieces_needed(caps, small) == 1);
  for (const Dispatch &large :
       {dispatch({101, 1, 1}, 200'000'000), dispatch({3, 101, 7}, 2'000'000'000),
        dispatch({1000, 1, 1}, 100'000'000, 900'000'000, 4'000), dispatch({4000, 1, 1}, 0, 0, 400'000'000)}) {
    const uint32_t n = pieces_needed(caps, large);
    CHECK(n >= 7);
    CHECK(n < 120);
    const std::vector<Piece> pieces = cut(large.groups, n);
    CHECK(pieces.size() == n);
    double sum = 0;
    for (const Piece &p : pieces) {
      CHECK(estimated_seconds(caps, large, p.n_groups()) <= kMostSeconds);
      sum += estimated_seconds(caps, large, p.n_groups());
    }
    CHECK(sum >= estimated_seconds(caps, large));
  }
  CHECK(pieces_needed(caps, dispatch({4, 1, 1}, 200'000'000)) == 4); // as far as it goes
  caps.least_pieces = 3;
  CHECK(pieces_needed(caps, small) == 3);
  CHECK(pieces_needed(caps, dispatch({2, 1, 1}, 5)) == 2);
  caps.dispatch_base = false;
  CHECK(pieces_needed(caps, small) == 1);
}

TEST_CASE("pieces: few rows of a large table are not the whole table, a few groups not the whole device") {
  DeviceCaps caps;
  caps.flops_per_s = 80'000'000'000;
  caps.bytes_per_s = 1'000'000'000;
  CHECK(estimated_seconds(caps, dispatch({10, 1, 1}, 1000, 1'000'000'000, 4000)) < 1e-4);
  CHECK(estimated_seconds(caps, dispatch({1, 1, 1}, 100'000'000)) ==
        doctest::Approx(1e-2).epsilon(0.01)); // an eighth of the speed
  CHECK(most_flops(caps, 1) * 8 <= most_flops(caps, 8));
  CHECK(most_flops(caps, 8) == most_flops(caps, 1000));
  CHECK(most_bytes(caps, 1) * 8 > most_bytes(caps, 8)); // here memory is slow for a single one, too
  CHECK(most_bytes(caps, 8) == most_bytes(caps, 1000));
  Dispatch again = dispatch({100, 1, 1}, 1000, 4000, 4000);
  again.bytes = 10'000'000; // the same rows, again and again
  CHECK(estimated_seconds(caps, again) == doctest::Approx(1e-2).epsilon(0.01));
  caps.flops_per_s = 3'000'000'000;
  CHECK(most_flops(caps, 1) * 3 / 2 <= most_flops(caps, 2) + 1); // slow devices have less to share out
  CHECK(most_flops(caps, 2) == most_flops(caps, 1000));
}
