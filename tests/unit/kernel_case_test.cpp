// Cases that try kernels, and verdicts on them, as data: no device.
#include "check/kernel_case.h"

#include "base/log.h"
#include "check/standard_cases.h"
#include "check/verdicts.h"
#include "kernels/catalogue.h"
#include "support/forged_devices.h"
#include "support/temp_folder.h"

#include <doctest/doctest.h>
#include <fstream>
#include <sys/wait.h>
#include <unistd.h>

using namespace fovea;
using namespace fovea::check;
using test::forged_device;
using test::forged_devices;

namespace {

KernelCase some_case() {
  KernelCase c;
  c.title = "decode: linear = h.3";
  c.graph_text = "graph extract\n  in x0 f32 [1, 64]\n  step pos\n  out y = linear(x0, w1)\n";
  c.weights = {{"w1", {{32, 64}, Encoding::Q8}}};
  c.steps = {{"pos", 7}};
  c.fuse_norms = false;
  c.disabled_kernels = {uint32_t(KernelId::linear_texel_q8)};
  c.preferred.rows[{KernelId::linear_base_q8, {1, 64, 32, 0}}] = {KernelId::linear_vector_base_q8, {1, 4}};
  c.variants = {{KernelId::linear_vector_base_q8, {64, 1, 0}, 0}, {KernelId::copy, {64}, 8}};
  c.terms = 128;
  return c;
}

VerdictTable some_verdicts() {
  return {{{KernelId::copy, {64, 0, 1}, 0}, {true, ""}},
          {{KernelId::softmax_subgroup, {8}, 8}, {false, "element 3 of f32 [2, 4] is 1, expected 2"}}};
}

} // namespace

TEST_CASE("kernel cases: every standard op leads to a case, and every kernel to one on some device") {
  std::set<uint32_t> covered;
  size_t n_cases = 0;
  std::vector<DeviceCaps> devices = forged_devices();
  DeviceCaps tight; // what is larger than a binding takes kernels of its own
  tight.max_storage_buffer_range = 200'000;
  devices.push_back(tight);
  for (const DeviceCaps &caps : devices)
    for (const KernelCase &c : standard_cases(caps)) {
      ++n_cases;
      REQUIRE(!c.variants.empty());
      for (const vk::KernelVariant &v : c.variants) covered.insert(uint32_t(v.id));
      for (const KernelCase &other : other_variants(c, caps)) {
        CHECK(other.variants != c.variants);
        for (const vk::KernelVariant &v : other.variants) covered.insert(uint32_t(v.id));
      }
    }
  CHECK(n_cases > 6 * 100);
  std::string missing;
  for (uint32_t id = 0; id < kKernelCount; ++id)
    if (const std::string name = to_string(KernelId(id));
        !covered.contains(id) && !name.starts_with("measure_"))
      missing += name + " ";
  CHECK(missing == "");
}

TEST_CASE("kernel cases as text: what is written is read back, and nothing cut off is") {
  const std::vector<KernelCase> cases{some_case(), some_case()};
  const std::string text = print_cases(cases);
  const std::vector<KernelCase> read = parse_cases(text);
  REQUIRE(read.size() == 2);
  CHECK(print_cases(read) == text);
  CHECK(read[1].variants == cases[1].variants);
  CHECK(read[1].weights == cases[1].weights);
  CHECK(read[1].steps == cases[1].steps);
  CHECK(read[1].disabled_kernels == cases[1].disabled_kernels);
  CHECK(read[1].preferred.rows == cases[1].preferred.rows);
  CHECK(!read[1].fuse_norms);
  for (size_t n = 0; n < text.size(); ++n) {
    std::vector<KernelCase> whole;
    try {
      whole = parse_cases(text.substr(0, n));
    } catch (const Error &e) {
      CHECK(e.code() == ErrorCode::InvalidArgument);
    }
    CHECK(whole.size() <= 1);
  }
  CHECK_THROWS_AS(parse_cases("title 99999999999999999999\nx\n"), Error);
  CHECK_THROWS_AS(parse_cases("colour 3\nred\n"), Error);
}

TEST_CASE("verdicts as text: only of the same device and the same SPIR-V") {
  const VerdictTable table = some_verdicts();
  const std::string text = print_verdicts(table, 77, "a device\nwith a line");
  CHECK(parse_verdicts(text, 77) == table);
  CHECK_THROWS_WITH_AS(parse_verdicts(text, 78), "line 2: made with another driver or device", Error);
  const size_t hash = text.find("right ") + 6;
  std::string changed = text;
  changed[hash] = changed[hash] == '0' ? '1' : '0';
  CHECK(parse_verdicts(changed, 77).size() == 1); // another kernel by now: asked again
  for (size_t n = 0; n < text.size(); ++n) CHECK_THROWS_AS(parse_verdicts(text.substr(0, n), 77), Error);
}

TEST_CASE("verdicts are kept in the cache folder; a damaged file is no verdict") {
  const test::TempFolder folder;
  const DeviceCaps caps = forged_device(8);
  const auto [variant, verdict] = *std::next(some_verdicts().begin());
  {
    Verdicts verdicts(folder.path(), caps);
    CHECK(!verdicts.find(variant));
    verdicts.set(variant, verdict);
    verdicts.save();
  }
  Verdicts verdicts(folder.path(), caps);
  REQUIRE(verdicts.find(variant));
  CHECK(*verdicts.find(variant) == verdict);
  DeviceCaps newer = caps;
  newer.driver_version = 2;
  CHECK(!Verdicts(folder.path(), newer).find(variant));
  {
    std::ofstream(verdicts.path(), std::ios::app) << "more\n";
    set_log_sink([](LogLevel, std::string_view) {});
    CHECK(!Verdicts(folder.path(), caps).find(variant));
    set_log_sink({});
  }
  verdicts.clear();
  CHECK(!verdicts.find(variant));
  CHECK(::access(verdicts.path().c_str(), F_OK) != 0);
}

TEST_CASE("verdicts: a process that ends while it tries a kernel leaves one") {
  const test::TempFolder folder;
  const DeviceCaps caps = forged_device(8);
  const vk::KernelVariant variant{KernelId::softmax, {64, 1}, 0};
  const pid_t child = ::fork();
  if (child == 0) {
    const Verdicts verdicts(folder.path(), caps);
    const Verdicts::Attempt attempt(verdicts, variant);
    ::_exit(3); // as a crash would, without destructors
  }
  ::waitpid(child, nullptr, 0);
  const Verdicts after(folder.path(), caps);
  REQUIRE(after.find(variant));
  CHECK(!after.find(variant)->right);
  {
    const Verdicts::Attempt attempt(after, {KernelId::copy, {64}, 0});
    CHECK(!Verdicts(folder.path(), caps).find({KernelId::copy, {64}, 0})); // still at it
    const size_t n_files = folder.n_files();
    const Verdicts::Attempt other(after, variant); // of another device, with a note of its own
    CHECK(folder.n_files() == n_files + 1);
  }
  CHECK(!Verdicts(folder.path(), caps).find({KernelId::copy, {64}, 0})); // came to an end
}
