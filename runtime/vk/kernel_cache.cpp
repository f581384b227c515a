#include "vk/kernel_cache.h"

#include "base/log.h"
#include "vk/pipeline_cache.h"

#include <algorithm>
#include <condition_variable>
#include <system_error>

namespace fovea::vk {

struct KernelCache::Slot {
  std::mutex mutex; // held while the driver compiles, so that others wait for this variant only
  std::unique_ptr<Kernel> kernel;
  std::optional<Error> failed;
};

KernelCache::KernelCache(std::shared_ptr<Context> context, PipelineCache &disk)
    : context_(std::move(context)), disk_(disk) {}
KernelCache::~KernelCache() = default;

KernelCache::Slot &KernelCache::slot(const KernelVariant &variant) {
  const std::lock_guard lock(mutex_);
  std::unique_ptr<Slot> &slot = slots_[variant];
  if (!slot) slot = std::make_unique<Slot>();
  return *slot;
}

const Kernel &KernelCache::get(const KernelVariant &variant) {
  Slot &s = slot(variant);
  const std::lock_guard lock(s.mutex);
  if (s.kernel) return *s.kernel;
  if (s.failed) throw *s.failed;
  try {
    const auto in_use = disk_.use();
    s.kernel = std::make_unique<Kernel>(context_, variant, disk_.handle());
  } catch (const Error &error) {
    // What depends on the moment is worth another try.
    if (error.code() != ErrorCode::OutOfMemory && error.code() != ErrorCode::DeviceLost) s.failed = error;
    throw;
  }
  return *s.kernel;
}

bool KernelCache::has(const KernelVariant &variant) {
  Slot &s = slot(variant);
  const std::unique_lock lock(s.mutex, std::try_to_lock);
  return lock && s.kernel != nullptr;
}

void KernelCache::create_ahead(std::span<const KernelVariant> variants) {
  const std::lock_guard lock(ahead_mutex_);
  ahead_.insert(ahead_.end(), variants.begin(), variants.end());
  if (working_ahead_ || ahead_.empty()) return;
  try {
    ahead_thread_ = std::jthread([this](std::stop_token stop) { work_ahead(std::move(stop)); });
    working_ahead_ = true;
  } catch (const std::system_error &) { // no more threads: who needs the kernels creates them
    ahead_.clear();
  }
}

void KernelCache::work_ahead(std::stop_token stop) {
  for (;;) {
    KernelVariant variant;
    {
      const std::lock_guard lock(ahead_mutex_);
      if (stop.stop_requested() || ahead_.empty() || context_->lost()) {
        ahead_.clear();
        working_ahead_ = false;
        return;
      }
      variant = std::move(ahead_.front());
      ahead_.pop_front();
    }
    try {
      get(variant);
    } catch (...) { // whoever needs it gets the same error, or tries again
    }
  }
}

std::vector<KernelFailure> KernelCache::create_batch(std::span<const KernelVariant> variants,
                                                     const Progress &progress) {
  std::vector<KernelVariant> missing(variants.begin(), variants.end());
  std::sort(missing.begin(), missing.end());
  missing.erase(std::unique(missing.begin(), missing.end()), missing.end());
  std::erase_if(missing, [&](const KernelVariant &variant) { return has(variant); });
  if (missing.empty()) return {};

  std::mutex mutex; // guards what follows
  std::condition_variable changed;
  size_t n_taken = 0, n_done = 0;
  std::vector<KernelFailure> failures;
  std::exception_ptr fatal;
  const auto work = [&] {
    std::unique_lock lock(mutex);
    while (n_taken < missing.size()) {
      const KernelVariant &variant = missing[n_taken++];
      if (!fatal) {
        lock.unlock();
        std::optional<KernelFailure> failure;
        std::exception_ptr thrown;
        try {
          get(variant);
        } catch (const Error &error) {
          if (error.code() == ErrorCode::OutOfMemory || error.code() == ErrorCode::DeviceLost)
            thrown = std::current_exception();
          else
            failure = KernelFailure{variant, error};
        } catch (...) {
          thrown = std::current_exception();
        }
        lock.lock();
        if (failure) failures.push_back(std::move(*failure));
        if (thrown) fatal = thrown;
      }
      ++n_done;
      changed.notify_one();
    }
  };

  const size_t n_threads =
      std::min<size_t>(missing.size(), std::max(1u, std::thread::hardware_concurrency()));
  std::vector<std::jthread> threads; // joined before anything they refer to goes, whatever is thrown
  for (size_t i = 0; i < n_threads; ++i) {
    try {
      threads.emplace_back(work);
    } catch (const std::system_error &) { // no more threads: the ones there are do it, or else this one
      if (threads.empty()) work();
      break;
    }
  }
  for (size_t reported = 0; reported < missing.size();) {
    std::unique_lock lock(mutex);
    changed.wait(lock, [&] { return n_done > reported; });
    reported = n_done;
    lock.unlock();
    if (progress) progress(reported, missing.size());
  }
  threads.clear();
  if (fatal) std::rethrow_exception(fatal);
  for (const KernelFailure &failure : failures) log(LogLevel::Info, failure.error.what());
  return failures;
}

} // namespace fovea::vk
