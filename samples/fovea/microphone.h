// Microphone: sound from a recording device, by PortAudio where the tool was built with it. Keeps recording
// into a queue until it is destroyed. One thread. Throws fovea::Error: UNSUPPORTED without PortAudio,
// NO_DEVICE (no such microphone: the message lists those there are), IO.
#pragma once

#include "sample_queue.h"

#include <memory>
#include <string>

namespace tool {

class Microphone {
public:
  /// `name`: a number of list(), or part of a name; empty: the system's default. Mono at `rate_hz`.
  Microphone(const std::string &name, uint32_t rate_hz, SampleQueue &queue);
  ~Microphone();
  Microphone(const Microphone &) = delete;
  Microphone &operator=(const Microphone &) = delete;
  const std::string &name() const { return name_; }

  /// A line for each: number, name, channels and rate; * marks the default.
  static std::string list();

private:
  struct State;
  std::string name_;
  std::unique_ptr<State> state_;
};

} // namespace tool
