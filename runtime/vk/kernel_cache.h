// KernelCache: every pipeline of a device, created once. A kernel lives as long as the cache (that is, the
// Device). Thread-safety: all members; two threads may compile two variants at once, never one variant twice.
#pragma once

#include "vk/kernel.h"

#include <functional>
#include <map>
#include <mutex>

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

  using Progress = std::function<void(size_t n_done, size_t n_total)>;
  /// Creates the missing ones of `variants` on background threads, and returns what failed once all are done.
  /// `progress` is called on the calling thread. Error DeviceLost or OutOfMemory are thrown, not returned.
  std::vector<KernelFailure> create_batch(std::span<const KernelVariant> variants,
                                          const Progress &progress = {});

private:
  struct Slot;
  Slot &slot(const KernelVariant &variant);
  bool has(const KernelVariant &variant);
  std::shared_ptr<Context> context_;
  PipelineCache &disk_;
  std::mutex mutex_; // guards slots_; each slot has its own
  std::map<KernelVariant, std::unique_ptr<Slot>> slots_;
};

} // namespace fovea::vk
