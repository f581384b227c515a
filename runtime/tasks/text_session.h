// TextSession: the graph `step` of a model that continues text as function calls, on one device, with times.
//
// Owns a Session for one sequence and remembers which tokens its caches hold. One thread. Throws what Session
// throws; WrongResult when the device returns what is not a token, or constants; InvalidArgument for tokens
// outside the vocabulary or past the context.
#pragma once

#include "exec/session.h"
#include "tasks/canary.h"
#include "tasks/generate_spec.h"
#include "tasks/profile_sum.h"

namespace fovea {

class TextSession {
public:
  /// n_context: positions that the caches hold. n_chunk: most tokens of one run.
  TextSession(std::shared_ptr<vk::Device> device, std::shared_ptr<const Model> model,
              std::shared_ptr<const DeviceWeights> weights, const GenerateSpec &spec, uint32_t n_context,
              uint32_t n_chunk, SessionOptions options);

  const GenerateSpec &spec() const { return spec_; }
  uint32_t n_context() const { return n_context_; }
  const Session &session() const { return session_; }
  Session &session() { return session_; }
  void set_cancel(const std::atomic<bool> *cancel) { control_.cancel = cancel; }

  /// What a run brings back: the likeliest next token, or all logits.
  enum class Want { Best, Logits };
  /// Makes the caches hold exactly `tokens` (at least one), going on from as many as they share with them
  /// when `reuse`; at least the last is run. How many were there already.
  size_t set(std::span<const int32_t> tokens, bool reuse, Want want);
  /// Appends one token.
  void append(int32_t token, Want want);
  /// Of what follows the last token; valid until the next call.
  int32_t best() const;
  std::span<const float> logits() const;

  /// The program that runs `tokens` as rows at … of the caches, ready to run: for measuring. set() must come
  /// before the next append().
  Program &prepare(std::span<const int32_t> tokens, uint32_t at, Want want);

  std::vector<ProfileRow> profile() const { return profile_.rows(); }

private:
  void run(std::span<const int32_t> tokens, Want want);

  GenerateSpec spec_;
  uint32_t n_context_, n_chunk_;
  Session session_;
  RunControl control_;
  Program *last_ = nullptr;
  RepeatCanary repeats_;
  std::vector<int32_t> cached_;
  bool profiling_;
  ProfileSum profile_;
};

} // namespace fovea
