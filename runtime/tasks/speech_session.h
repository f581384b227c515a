// SpeechSession: the graphs of a speech-to-text model as function calls, on one device, with their times.
//
// Owns a Session for `n_batch` sequences side by side. One thread. Throws what Session throws;
// WrongResult when the device returns what is not a number or not a token, or constants.
#pragma once

#include "exec/session.h"
#include "tasks/beam_search.h"
#include "tasks/canary.h"
#include "tasks/profile_sum.h"
#include "tasks/speech_spec.h"
#include "tasks/timestamp_rules.h"

namespace fovea {

class SpeechSession {
public:
  SpeechSession(std::shared_ptr<vk::Device> device, std::shared_ptr<const Model> model,
                std::shared_ptr<const DeviceWeights> weights, const SpeechSpec &spec, uint32_t n_batch,
                SessionOptions options);

  const SpeechSpec &spec() const { return spec_; }
  uint32_t n_batch() const { return n_batch_; }
  Session &session() { return session_; }
  const Session &session() const { return session_; }
  void set_cancel(const std::atomic<bool> *cancel) { control_.cancel = cancel; }

  /// Begins to create the kernels that a recording needs, in the background.
  void expect();

  /// window: spec().input_samples() samples. The largest log energy in it.
  float peak(std::span<const float> window);
  /// Features of a window, clamped against the recording's peak: [M, F], kept until the next program is made.
  std::span<const float> features(std::span<const float> window, float peak);
  /// Fills the caches of the encoder's output that the decoder reads.
  void encode(std::span<const float> features);

  /// Runs prompt tokens for every sequence, the first at position `at`; last(0) is then what follows them.
  void prompt(std::span<const int32_t> tokens, uint32_t at);

  /// What one decoding step computes and brings back; nothing else is.
  struct Wants {
    bool last = false, best = false, logprobs = false, top = false;
  };
  /// One token per sequence at position `at`, with a rules row each: [B] tokens, [B] rows.
  void step(std::span<const int32_t> tokens, std::span<const RulesRow> rules, uint32_t at, Wants wants);
  // Of the last step (of what it was asked for); valid until the next call.
  std::span<const float> last(uint32_t sequence) const;     // raw logits [V]
  std::span<const float> logprobs(uint32_t sequence) const; // [V]
  BeamSearch::Candidate best(uint32_t sequence) const;
  /// Likeliest first; at most `n`.
  std::vector<BeamSearch::Candidate> top(uint32_t sequence, size_t n) const;

  /// The first n_rows positions in the cache of sequence b become those of sequence order[b].
  void reorder(std::span<const uint32_t> order, uint32_t n_rows);

  struct Seconds {
    double peak = 0, features = 0, encode = 0, prompt = 0, decode = 0;
  };
  Seconds seconds;
  uint64_t n_steps = 0;
  std::vector<ProfileRow> profile() const { return profile_.rows(); }

private:
  void run(Program &program);
  /// T tokens for each sequence; `tokens` is [B, T].
  Program &run_step(std::span<const int32_t> tokens, std::span<const RulesRow> rules, uint32_t at,
                    const std::set<std::string> &outputs);
  BeamSearch::Candidate candidate(std::span<const float> pair) const;

  SpeechSpec spec_;
  uint32_t n_batch_;
  Session session_;
  RunControl control_;
  Program *step_ = nullptr; // the last step's
  RepeatCanary repeats_;
  bool profiling_;
  ProfileSum profile_;
};

/// Program lengths that a prompt of n tokens is run in: few different ones, so that few programs are made and
/// kept.
std::vector<uint32_t> prompt_parts(uint32_t n);

} // namespace fovea
