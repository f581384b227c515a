#include "sample_queue.h"

#include <algorithm>
#include <chrono>
#include <utility>

namespace tool {

void SampleQueue::push(std::span<const float> samples) {
  {
    const std::lock_guard lock(mutex_);
    if (closed_) return;
    if (n_missing_ > 0 || samples_.size() + samples.size() > capacity_) {
      n_lost_ += samples.size();
      n_missing_ += samples.size();
      return;
    }
    samples_.insert(samples_.end(), samples.begin(), samples.end());
  }
  changed_.notify_one();
}

void SampleQueue::close(std::exception_ptr error) {
  {
    const std::lock_guard lock(mutex_);
    if (!std::exchange(closed_, true)) error_ = std::move(error);
  }
  changed_.notify_one();
}

bool SampleQueue::pop(std::vector<float> &samples) {
  samples.clear();
  std::unique_lock lock(mutex_);
  changed_.wait_for(lock, std::chrono::milliseconds(50), [&] { return closed_ || !samples_.empty(); });
  if (samples_.empty() && n_missing_ > 0 && !closed_) { // after what was before it
    samples.resize(size_t(std::min<uint64_t>(n_missing_, capacity_)));
    n_missing_ -= samples.size();
    return true;
  }
  std::swap(samples, samples_);
  samples_.reserve(std::min(capacity_, samples.size() * 2));
  if (samples.empty() && closed_ && error_) std::rethrow_exception(std::exchange(error_, nullptr));
  return !samples.empty() || !closed_;
}

uint64_t SampleQueue::n_lost() const {
  const std::lock_guard lock(mutex_);
  return n_lost_;
}

} // namespace tool
