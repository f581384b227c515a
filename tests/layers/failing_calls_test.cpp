// Every fallible call of Vulkan fails in turn, with every result it may plausibly give: a run from opening
// the device to destroying it ends in an Error, or in the right result; nothing is left behind, and the next
// run works. FOVEA_FAULTS=vkCreate: only functions whose names begin so; FOVEA_FAULTS_VERBOSE=1: each fault
// is told before it is tried.
#include "layers/support.h"

#include "base/error.h"
#include "support/share.h"

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <map>
#include <set>

using namespace fovea;
using namespace fovea::test;

namespace {

constexpr double kMaxSeconds = 45; // of one run: what never finishes is waited for, for 30 s

struct Fault {
  std::string function;
  uint64_t k;
  VkResult result;
  bool for_ever;
};

std::string name_of(const Fault &f) {
  return concat(f.function, " ", f.k, f.for_ever ? " and on" : "", ": ",
                f.result == VK_SUCCESS ? "success with nothing" : vk::to_string(f.result));
}

bool is_submit_or_wait(std::string_view f) {
  return f == "vkQueueSubmit" || f == "vkWaitForFences" || f == "vkGetQueryPoolResults";
}

std::vector<VkResult> plausible(std::string_view function) {
  std::vector<VkResult> all = {VK_ERROR_OUT_OF_HOST_MEMORY, VK_ERROR_OUT_OF_DEVICE_MEMORY};
  const bool creates =
      function.starts_with("vkCreate") || function == "vkAllocateMemory" || function == "vkMapMemory";
  if (is_submit_or_wait(function) || function == "vkCreateDevice" || function == "vkCreateComputePipelines")
    all.push_back(VK_ERROR_DEVICE_LOST);
  if (function.starts_with("vkCreate") || function == "vkEnumeratePhysicalDevices")
    all.push_back(VK_ERROR_INITIALIZATION_FAILED);
  if (function == "vkAllocateDescriptorSets") all.push_back(VK_ERROR_OUT_OF_POOL_MEMORY);
  if (function == "vkWaitForFences") all.push_back(VK_TIMEOUT);
  if (function == "vkMapMemory") all.push_back(VK_ERROR_MEMORY_MAP_FAILED);
  if (function == "vkCreateComputePipelines") all.push_back(VK_ERROR_INVALID_SHADER_NV);
  if (creates && function != "vkCreateInstance" && function != "vkCreateDevice") all.push_back(VK_SUCCESS);
  return all;
}

struct Tally {
  uint64_t runs = 0, failed_calls = 0, errors = 0, right = 0, unreached = 0, next_runs = 0;
  std::map<std::string, uint64_t> codes;
};

/// One run with the fault armed.
void try_fault(const Scenario &scenario, const std::vector<int32_t> &want, const Fault &fault, Tally &tally) {
  INFO(concat(scenario.name, ": ", name_of(fault)));
  if (std::getenv("FOVEA_FAULTS_VERBOSE"))
    std::fprintf(stderr, "%s: %s\n", scenario.name.c_str(), name_of(fault).c_str());
  const Armed layer;
  const uint64_t n_reports = layer->n_reports();
  layer->fail(fault.function.c_str(), fault.k, fault.result, fault.for_ever);
  const auto begin = std::chrono::steady_clock::now();
  bool hung = false;
  try {
    const std::vector<int32_t> got = scenario.run();
    CHECK(got == want);
    ++tally.right;
  } catch (const Error &e) {
    const std::string_view text = e.what();
    CHECK(text.size() > 10);
    CHECK(text.find('\n') == text.npos);
    // Its fault is the driver's, which an error of Fovea's own logic would hide.
    const bool gave_nothing = text.find("gave nothing") != text.npos;
    CHECK_MESSAGE((e.code() != ErrorCode::Internal || gave_nothing || text.find("VK_ERROR_") != text.npos),
                  text);
    CHECK_MESSAGE(layer->n_failed() > 0, text);
    ++tally.errors;
    ++tally.codes[to_string(e.code())];
    // Work whose end nobody hears of may still use what it was given: that is kept.
    hung = fault.function == "vkWaitForFences" && fault.for_ever && fault.result != VK_ERROR_DEVICE_LOST;
  } catch (const std::exception &e) {
    FAIL_CHECK("not an Error: " << e.what());
  }
  ++tally.runs;
  tally.failed_calls += layer->n_failed();
  if (layer->n_failed() == 0) ++tally.unreached;
  CHECK(std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count() < kMaxSeconds);
  if (!hung) CHECK(layer->live_objects() == 0);
  CHECK(layer->n_reports() == n_reports); // what its device leaves behind is one
  layer->forget_live();
}

void check_next(const Scenario &scenario, const std::vector<int32_t> &want, Tally &tally) {
  const Armed layer;
  INFO(concat("after faults: ", scenario.name));
  CHECK(scenario.run() == want);
  CHECK(layer->live_objects() == 0);
  ++tally.next_runs;
}

std::map<std::string, uint64_t> count_calls(const Scenario &scenario, const std::vector<int32_t> &want) {
  const Armed layer;
  CHECK(scenario.run() == want);
  CHECK(layer->live_objects() == 0);
  CHECK(layer->live_bytes() == 0);
  std::map<std::string, uint64_t> counts;
  for (uint32_t i = 0; i < layer->n_functions(); ++i) {
    const layer::Function f = layer->function(i);
    if (f.fallible && f.n_calls) counts[f.name] = f.n_calls;
  }
  return counts;
}

/// `every`: of all faults, in order, every how many-th is tried; the next run is made after every
/// `next_every`-th.
void try_all(const Scenario &scenario, size_t every, size_t next_every, Tally &tally) {
  const Quiet quiet;
  const std::vector<int32_t> want = scenario.run();
  REQUIRE(want.size() > 2);
  std::vector<Fault> faults;
  const char *const only = std::getenv("FOVEA_FAULTS");
  for (const auto &[function, n_calls] : count_calls(scenario, want)) {
    if (only && !function.starts_with(only)) continue;
    for (const VkResult result : plausible(function)) {
      for (uint64_t k = 1; k <= n_calls; ++k) faults.push_back({function, k, result, false});
      // Waits without end have a test of their own: it takes 30 s.
      if (result != VK_TIMEOUT) faults.push_back({function, 1 + n_calls / 2, result, true});
    }
  }
  size_t tried = 0;
  for (size_t i = 0; i < faults.size(); i += every) {
    try_fault(scenario, want, faults[i], tally);
    if (++tried % next_every == 0) check_next(scenario, want, tally);
  }
  check_next(scenario, want, tally);
  MESSAGE(concat(scenario.name, ": ", faults.size(), " faults, ", tried, " tried"));
}

void tell(const Tally &tally) {
  std::string codes;
  for (const auto &[code, n] : tally.codes) codes += concat(", ", n, " ", code);
  MESSAGE(concat(tally.runs, " runs with ", tally.failed_calls, " failed calls: ", tally.errors,
                 " ended in an Error", codes, "; ", tally.right, " in the right result (", tally.unreached,
                 " did not reach the call); ", tally.next_runs, " runs afterwards, all right"));
}

} // namespace

TEST_CASE("failing calls: some of them") {
  Tally tally;
  try_all(letters_scenario(), 5, 8, tally);
  try_all(speech_scenario(), 173, 5, tally);
  tell(tally);
  CHECK(tally.failed_calls > tally.runs / 2);
}

TEST_CASE("failing calls: every one, or a share" * doctest::test_suite("sweep")) {
  Tally tally;
  for (const Scenario &scenario : scenarios()) try_all(scenario, one_in(29), 4, tally);
  tell(tally);
  CHECK(tally.unreached * 50 < tally.runs);
}
