// Duty: every call is counted, and the armed ones fail without being made.
#include "layer/calls.h"

#include "layer/core.h"

#include <atomic>
#include <charconv>
#include <vector>

namespace fovea::layer {
namespace {

#define FOVEA_LAYER_ALL(X)                                                                                   \
  X(CreateInstance)                                                                                          \
  FOVEA_VK_INSTANCE(X) FOVEA_VK_DEVICE(X) X(GetMemoryHostPointerPropertiesEXT)

enum Id : uint32_t {
#define FOVEA_LAYER_ID(name) name,
  FOVEA_LAYER_ALL(FOVEA_LAYER_ID)
#undef FOVEA_LAYER_ID
      kFunctions
};

template <class R, class... Arguments> constexpr bool gives_result(R (*)(Arguments...)) {
  return std::is_same_v<R, VkResult>;
}

struct Row {
  const char *name;
  bool fallible;
};
constexpr Row kRows[] = {
#define FOVEA_LAYER_ROW(name) {"vk" #name, gives_result(PFN_vk##name(nullptr))},
    FOVEA_LAYER_ALL(FOVEA_LAYER_ROW)
#undef FOVEA_LAYER_ROW
};

struct Armed {
  uint32_t function = 0;
  uint64_t k = 0;
  VkResult result = VK_SUCCESS;
  bool for_ever = false;
};

struct Calls {
  std::array<std::atomic<uint64_t>, kFunctions> counts{};
  std::atomic<uint64_t> failed{0};
  std::atomic<bool> any_armed{false};
  std::mutex mutex; // guards what follows
  std::vector<Armed> armed;

  Calls() { arm_from_environment(); }
  void arm_from_environment();
};

Calls &calls() {
  static Calls &all = *new Calls; // outlives the application's own statics
  return all;
}

std::optional<uint32_t> find(std::string_view name) {
  for (uint32_t i = 0; i < kFunctions; ++i)
    if (name == kRows[i].name) return i;
  return {};
}

// "function:k[+]:result", several with ","
void Calls::arm_from_environment() {
  std::string_view rest = environment("FOVEA_LAYER_FAIL");
  while (!rest.empty()) {
    const std::string_view item = rest.substr(0, rest.find(','));
    rest.remove_prefix(std::min(rest.size(), item.size() + 1));
    const size_t first = item.find(':'), second = item.find(':', first + 1);
    Armed a;
    int result = 0;
    const auto function = find(item.substr(0, first));
    if (second == item.npos || !function || !kRows[*function].fallible) {
      report(concat("FOVEA_LAYER_FAIL: not understood: ", item));
      continue;
    }
    std::from_chars(item.data() + first + 1, item.data() + second, a.k);
    std::from_chars(item.data() + second + 1, item.data() + item.size(), result);
    a.function = *function;
    a.result = VkResult(result);
    a.for_ever = item[second - 1] == '+';
    armed.push_back(a);
    any_armed = true;
  }
}

/// The result in place of the call, if it is to fail.
std::optional<VkResult> enter(uint32_t function) {
  Calls &c = calls();
  const uint64_t k = ++c.counts[function];
  if (!c.any_armed.load(std::memory_order_relaxed)) return {};
  const std::lock_guard lock(c.mutex);
  for (const Armed &a : c.armed)
    if (a.function == function && (a.for_ever ? k >= a.k : k == a.k)) {
      ++c.failed;
      return a.result;
    }
  return {};
}

const InstanceFunctions &below(VkInstance handle) { return instance_of(handle).below[kCalls]; }
const InstanceFunctions &below(VkPhysicalDevice handle) { return instance_of(handle).below[kCalls]; }
template <class Handle> const DeviceFunctions &below(Handle handle) {
  return device_of(handle).below[kCalls];
}

/// Nothing runs on a device that is lost: what the application may now destroy is not in use.
void lose(Device &device) {
  const std::lock_guard lock(device.submitting);
  device.lost = true;
  device.below[kCalls].DeviceWaitIdle(device.handle);
}
void lose(VkDevice device) { lose(device_of(device)); }
void lose(VkQueue queue) { lose(device_of(queue)); }
template <class Handle> void lose(Handle) {}

VkResult submit(VkQueue queue, uint32_t count, const VkSubmitInfo *infos, VkFence fence) {
  Device &device = device_of(queue);
  const std::lock_guard lock(device.submitting);
  return device.lost ? VK_ERROR_DEVICE_LOST : device.below[kCalls].QueueSubmit(queue, count, infos, fence);
}

template <uint32_t function, auto next, class F> struct Counted;
template <uint32_t function, auto next, class R, class First, class... Rest>
struct Counted<function, next, R (*)(First, Rest...)> {
  static R call(First first, Rest... rest) {
    [[maybe_unused]] const std::optional<VkResult> result = enter(function);
    if constexpr (std::is_same_v<R, VkResult>)
      if (result) {
        if (*result == VK_ERROR_DEVICE_LOST) lose(first);
        return *result;
      }
    if constexpr (std::is_same_v<R, PFN_vkVoidFunction>)
      return device_of(first).next_proc(first,
                                        rest...); // the one function of an instance that takes a device
    else if constexpr (function == QueueSubmit)
      return submit(first, rest...);
    else
      return (below(first).*next)(first, rest...);
  }
};

template <class F> void set(F &slot, F counted) {
  if (slot) slot = counted; // null: not there
}

} // namespace

std::optional<VkResult> enter_create_instance() { return enter(CreateInstance); }

#define FOVEA_LAYER_COUNT(name)                                                                              \
  set(table.name, &Counted<name, &std::remove_reference_t<decltype(table)>::name, PFN_vk##name>::call);

void attach_calls(InstanceFunctions &table) { FOVEA_VK_INSTANCE(FOVEA_LAYER_COUNT) }

void attach_calls(DeviceFunctions &table){FOVEA_VK_DEVICE(FOVEA_LAYER_COUNT)
                                              FOVEA_LAYER_COUNT(GetMemoryHostPointerPropertiesEXT)}
#undef FOVEA_LAYER_COUNT

uint32_t n_functions() {
  return kFunctions;
}

Function function(uint32_t index) {
  return {kRows[index].name, kRows[index].fallible, calls().counts[index]};
}

void fail_call(const char *name, uint64_t k, int32_t result, bool for_ever) {
  const auto id = find(name);
  if (!id || !kRows[*id].fallible) return report(concat("no function to fail: ", name));
  const std::lock_guard lock(calls().mutex);
  calls().armed.push_back({*id, k, VkResult(result), for_ever});
  calls().any_armed = true;
}

uint64_t n_failed() { return calls().failed; }

void reset_calls() {
  Calls &c = calls();
  const std::lock_guard lock(c.mutex);
  for (auto &count : c.counts) count = 0;
  c.failed = 0;
  c.armed.clear();
  c.any_armed = false;
}

} // namespace fovea::layer
