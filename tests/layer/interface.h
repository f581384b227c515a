// What the test layer offers to a test in the same process: one exported function gives this table.
//
// VK_LAYER_FOVEA_test sits between Fovea and the driver. It is built with the tests and never installed. A
// test opens the module itself (tests/layers/support.h), arms it, and asks it afterwards; a program that
// knows nothing of it is run with VK_LAYER_PATH, VK_INSTANCE_LAYERS=VK_LAYER_FOVEA_test and the environment
// variables below. Plain data and function pointers, any thread; nothing throws.
//
//   FOVEA_LAYER_FAIL=vkAllocateMemory:3:-2     call 3 fails with VkResult -2; "3+": all from the third on;
//                                              several with ","
//   FOVEA_LAYER_FENCE_DELAY_MS=500             no fence is seen signalled sooner; "never"
//   FOVEA_LAYER_CACHE=flip:100 | truncate:16   what is done to pipeline-cache data on its way in and out
//   FOVEA_LAYER_HAZARDS=1                      missing barriers are reported
//   FOVEA_LAYER_MEMORY=incoherent,uncached,poison,guard,heap=BYTES   any of MemoryModel
//   FOVEA_LAYER_MISCOMPILE=HASH:WORD:BITS     word WORD of the module with that hash (base/hash.h, both in
//                                              hexadecimal) reaches the driver with these bits flipped
//   FOVEA_LAYER_PROFILE=NAME | FILE            devices have what a profile says, and no more may be used
//   FOVEA_LAYER_WORK=30:100                    submits run one at a time; launches and submits that take
//   longer
//                                              (in milliseconds) are reported
//   FOVEA_LAYER_EXIT=1                         a process with reports ends with status 86
#pragma once

#include <cstdint>

namespace fovea::layer {

constexpr const char *kEntryPoint = "fovea_test_layer";
constexpr int kExitStatus = 86;
constexpr uint32_t kNever = UINT32_MAX;

/// A function of Vulkan that Fovea calls.
struct Function {
  const char *name = nullptr;
  bool fallible = false; // gives a VkResult
  uint64_t n_calls = 0;  // since reset()
};

enum class CacheDamage : uint32_t {
  None,
  Flip,     // bit `where` of the data, counted round
  Truncate, // to `where` bytes
  Grow,     // the data is larger than what vkGetPipelineCacheData said: VK_INCOMPLETE
};

enum class HazardMode : uint32_t { Off, Count, Report };

struct HazardCounts {
  uint64_t n_hazards = 0, n_barriers = 0, n_dispatches = 0, n_accesses = 0; // since reset()
};

/// What memory is like on the devices opened from now on.
struct MemoryModel {
  bool incoherent = false; // nothing is HOST_COHERENT, and flushes are needed
  bool uncached = false;   // nothing is HOST_CACHED
  bool poison = false;     // fresh memory is NaN
  bool guard = false;      // what is written before or behind an allocation is reported when it is freed
  uint64_t heap_bytes = 0; // no heap is larger, nor all allocations together; 0: as they are
};

/// How long the device may work at a time.
struct WorkLimits {
  bool on = false;
  double most_launch_s = 0, most_submit_s = 0; // what takes longer is reported; 0: nothing is
};

/// Since work was last measured from the beginning.
struct WorkCounts {
  uint64_t n_launches = 0, n_timed = 0, n_submits = 0; // timed: devices may have no timestamps
  double longest_launch_s = 0, longest_submit_s = 0, launches_s = 0;
};

struct Interface {
  /// Counts from 0, and nothing armed. Live objects stay what they are.
  void (*reset)();

  uint32_t (*n_functions)();
  Function (*function)(uint32_t index);
  /// Call `k` (from 1, of those since reset()) gives `result` (a VkResult) in place of being made, or all
  /// from `k` on. VK_SUCCESS: it succeeds and gives nothing. A lost device has stopped: the layer waits for
  /// it first.
  void (*fail)(const char *function, uint64_t k, int32_t result, bool for_ever);
  uint64_t (*n_failed)(); // calls that were not made, since reset()

  /// What was created and is not destroyed, and bytes of device memory.
  uint64_t (*live_objects)();
  uint64_t (*live_bytes)();
  /// Forgets them: what a lost or hung device has cost.
  void (*forget_live)();

  /// Violations so far. Each is a line on stderr and goes to the application's debug messengers too.
  uint64_t (*n_reports)();
  const char *(*report)(uint64_t index); // "" past the first thousand

  /// No fence is seen signalled before so long after its submit; kNever.
  void (*delay_fences)(uint32_t ms);
  /// What is done to pipeline-cache data: as vkGetPipelineCacheData gives it, and as it is passed in.
  void (*damage_cache)(CacheDamage out, CacheDamage in, uint64_t where);

  /// Whether accesses that nothing orders are looked for at each submit: what was recorded before is not
  /// known. With `dry`, nothing that is submitted runs: fences signal at once.
  void (*check_hazards)(HazardMode mode, bool dry);
  HazardCounts (*hazard_counts)();
  /// The k-th barrier recorded from now on (from 1) is left out; 0: none is.
  void (*drop_barrier)(uint64_t k);

  void (*set_memory)(const MemoryModel &model);
  /// The driver gets a word of the module with this hash with some bits flipped.
  void (*miscompile)(uint64_t module_hash, uint32_t word, uint32_t change);

  /// Devices from now on have what a profile says (base/device_profile.h: a name or a file; "": all they
  /// have), and what is used beyond it is reported. In disguise they do not say that they are a software
  /// driver, and which: Fovea then chooses kernels as for hardware, and waits no longer. False, with a
  /// report, where there is no such profile.
  bool (*set_profile)(const char *name_or_path, bool disguised);
  /// Held against a limit of such a device, since reset().
  uint64_t (*n_limit_checks)();

  /// Measures each launch recorded from now on and each submit, from 0. Submits run one at a time.
  void (*measure_work)(const WorkLimits &limits);
  WorkCounts (*work_counts)();
};

} // namespace fovea::layer
