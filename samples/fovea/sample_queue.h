// SampleQueue: sound between who records it, who must not wait, and who hears it, who takes as long as it
// takes. Holds half a minute; what comes when it is full is lost and counted, and silence of that length
// stands for it, so that times stay true. Any threads; push() waits for nothing but a short lock.
#pragma once

#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <mutex>
#include <span>
#include <vector>

namespace tool {

class SampleQueue {
public:
  explicit SampleQueue(uint32_t rate_hz) : capacity_(size_t(rate_hz) * kSeconds) {}
  static constexpr size_t kSeconds = 30;

  void push(std::span<const float> samples);
  /// No more will come; `error` is thrown by pop() once all is taken.
  void close(std::exception_ptr error = nullptr);
  /// All there is, after waiting a moment for something to come: maybe nothing. False at the end.
  bool pop(std::vector<float> &samples);
  uint64_t n_lost() const;

private:
  size_t capacity_;
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<float> samples_;
  uint64_t n_lost_ = 0, n_missing_ = 0; // n_missing_: of those lost, after the last of samples_
  bool closed_ = false;
  std::exception_ptr error_;
};

} // namespace tool
