// What the tests of threads share: threads that begin together, random moments, and a model that takes
// milliseconds.
#pragma once

#include "support/temp_folder.h"
#include "support/tiny_ctc_model.h"

#include <atomic>
#include <barrier>
#include <chrono>
#include <doctest/doctest.h>
#include <functional>
#include <mutex>
#include <random>
#include <thread>
#include <unistd.h>

namespace fovea::test {

/// A test that hangs is ended by SIGALRM.
class HangAlarm {
public:
  HangAlarm() { ::alarm(300); }
  ~HangAlarm() { ::alarm(0); }
  HangAlarm(const HangAlarm &) = delete;
  HangAlarm &operator=(const HangAlarm &) = delete;
};

/// `body(i)` on a thread each, all at once; what they throw fails the test.
inline void at_once(size_t n, const std::function<void(size_t)> &body) {
  std::mutex mutex; // guards `faults`
  std::vector<std::string> faults;
  std::barrier begin{std::ptrdiff_t(n)};
  {
    std::vector<std::jthread> threads;
    for (size_t i = 0; i < n; ++i)
      threads.emplace_back([&, i] {
        begin.arrive_and_wait();
        try {
          body(i);
        } catch (const std::exception &e) {
          const std::lock_guard lock(mutex);
          faults.emplace_back(e.what());
        }
      });
  }
  for (const std::string &fault : faults) FAIL_CHECK(fault);
}

/// For threads, whose faults at_once() tells.
inline void expect_that(bool holds, const std::string &otherwise) {
  if (!holds) throw std::runtime_error(otherwise);
}

/// Moments from now to `longest`: another sequence each time.
class Moments {
public:
  explicit Moments(std::chrono::microseconds longest) : longest_(longest), random_(std::random_device{}()) {}
  std::chrono::microseconds draw() {
    return std::chrono::microseconds(std::uniform_int_distribution<int64_t>(0, longest_.count())(random_));
  }
  void sleep() { std::this_thread::sleep_for(draw()); }
  bool coin() { return std::uniform_int_distribution<int>(0, 1)(random_) == 1; }

private:
  std::chrono::microseconds longest_;
  std::mt19937_64 random_;
};

inline const char *const kLetters = "ABBA CAB";
inline std::vector<float> letters_sound() { return ctc_sound(ctc_tokens(kLetters)); }

} // namespace fovea::test
