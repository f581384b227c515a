// KernelCache: every pipeline of a device, created once. A kernel lives as long as the cache (that is, the
// Device). Thread-safety: all members; two threads may compile two variants at once, never one variant twice.
// Destruction waits for the kernel that create_ahead()'s thread has in hand.
#pragma once

#include "vk/kernel.h"

#include <deque>
#include <functional>
#include <map>
#include <mutex>
#include <thread>

namespace fovea::vk {

class PipelineCache;

struct KernelFailure {
  KernelVariant variant;
  Error error;
};

class KernelCache {
public:
  KernelCache(std::shared_ptr<Context> context, PipelineCache &disk);
  ~KernelCache();

  /// The kernel, created if missing. Throws as Kernel does; a variant that failed once fails again with the
  /// same error, without asking the driver.
  const Kernel &get(const KernelVariant &variant);

  /// Whether it is created; false while it is about to be.
  bool has(const KernelVariant &variant);

  using Progress = std::function<void(size_t n_done, size_t n_total)>;
  /// Creates the missing ones of `variants` on background threads, and returns what failed once all are done.
  /// `progress` is called on the calling thread. Error DeviceLost or OutOfMemory are thrown, not returned.
  std::vector<KernelFailure> create_batch(std::span<const KernelVariant> variants,
                                          const Progress &progress = {});

  /// Begins to create what is missing of `variants`, in this order, on a thread of the cache's, and returns.
  /// get() waits for a kernel that the thread has in hand, and creates others itself. What fails is not told
  /// before get() asks for it.
  void create_ahead(std::span<const KernelVariant> variants);

private:
  struct Slot;
  void work_ahead(std::stop_token stop);
  Slot &slot(const KernelVariant &variant);
  std::shared_ptr<Context> context_;
  PipelineCache &disk_;
  std::mutex mutex_; // guards slots_; each slot has its own
  std::map<KernelVariant, std::unique_ptr<Slot>> slots_;
  std::mutex ahead_mutex_; // guards what follows, but for joining
  std::deque<KernelVariant> ahead_;
  bool working_ahead_ = false;
  std::jthread ahead_thread_; // last: joined before the rest goes
};

} // namespace fovea::vk
