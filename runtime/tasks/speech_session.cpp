#include "tasks/speech_session.h"

#include "tasks/stopwatch.h"

#include <algorithm>
#include <bit>
#include <cmath>

namespace fovea {
namespace {

constexpr uint32_t kWholePrompt = 8; // up to here a prompt is one program of its own length

SessionOptions with_batch(SessionOptions options, uint32_t n_batch) {
  options.bindings["B"] = n_batch;
  return options;
}

} // namespace

std::vector<uint32_t> prompt_parts(uint32_t n) {
  std::vector<uint32_t> parts;
  while (n > kWholePrompt) {
    parts.push_back(std::bit_floor(n));
    n -= parts.back();
  }
  if (n > 0) parts.push_back(n);
  return parts;
}

SpeechSession::SpeechSession(std::shared_ptr<vk::Device> device, std::shared_ptr<const Model> model,
                             std::shared_ptr<const DeviceWeights> weights, const SpeechSpec &spec,
                             uint32_t n_batch, SessionOptions options)
    : spec_(spec), n_batch_(n_batch),
      session_(std::move(device), std::move(model), std::move(weights), with_batch(options, n_batch)),
      profiling_(options.timestamps) {}

void SpeechSession::run(Program &program) {
  session_.run(program, control_);
  if (profiling_) profile_.add(program);
}

void SpeechSession::expect() {
  for (const char *graph : {"peak", "window", "encode"}) session_.expect(graph);
  session_.expect("step", {{"T", 1}}, {n_batch_ == 1 ? "best" : "logprobs"});
}

float SpeechSession::peak(std::span<const float> window) {
  const Stopwatch watch(seconds.peak);
  Program &program = session_.program("peak");
  program.set_input("window", window);
  run(program);
  const float value = program.output_as<float>("peak")[0];
  if (!std::isfinite(value)) fail_wrong(session_.model().path(), concat("a largest energy of ", value));
  return value;
}

std::span<const float> SpeechSession::features(std::span<const float> window, float peak) {
  const Stopwatch watch(seconds.features);
  Program &program = session_.program("window");
  program.set_input("window", window);
  program.set_input("peak", std::span<const float>(&peak, 1));
  run(program);
  return program.output_as<float>("features");
}

void SpeechSession::encode(std::span<const float> features) {
  const Stopwatch watch(seconds.encode);
  // Making the program may drop the one that holds the features.
  const std::vector<float> kept(features.begin(), features.end());
  Program &program = session_.program("encode");
  program.set_input("features", std::span<const float>(kept));
  run(program);
}

Program &SpeechSession::run_step(std::span<const int32_t> tokens, std::span<const RulesRow> rules,
                                 uint32_t at, const std::set<std::string> &outputs) {
  Program &program = session_.program("step", {{"T", tokens.size() / n_batch_}}, outputs);
  program.set_input("decoder_tokens", tokens);
  if (!rules.empty()) program.set_input("rules", rules);
  program.set_step("pos", at);
  run(program);
  return program;
}

void SpeechSession::prompt(std::span<const int32_t> tokens, uint32_t at) {
  const Stopwatch watch(seconds.prompt);
  repeats_.reset();
  for (const uint32_t n : prompt_parts(uint32_t(tokens.size()))) {
    std::vector<int32_t> repeated;
    for (uint32_t b = 0; b < n_batch_; ++b)
      repeated.insert(repeated.end(), tokens.begin(), tokens.begin() + n);
    step_ = &run_step(repeated, {}, at, {"last"});
    tokens = tokens.subspan(n);
    at += n;
  }
}

void SpeechSession::step(std::span<const int32_t> tokens, std::span<const RulesRow> rules, uint32_t at,
                         Wants wants) {
  const Stopwatch watch(seconds.decode);
  std::set<std::string> outputs;
  if (wants.last) outputs.insert("last");
  if (wants.best) outputs.insert("best");
  if (wants.logprobs) outputs.insert("logprobs");
  if (wants.top) outputs.insert("top");
  step_ = &run_step(tokens, rules, at, outputs);
  ++n_steps;
  if (!wants.best || n_batch_ > 1) return;
  // Near certainty all log-probabilities are a few numbers beside zero.
  if (const auto pair = step_->output_as<float>("best"); pair[0] < -0.01f)
    repeats_.see(session_.model().path(), pair[1], pair[0]);
  else
    repeats_.reset();
}

std::span<const float> SpeechSession::last(uint32_t sequence) const {
  return step_->output_as<float>("last").subspan(size_t(sequence) * spec_.n_vocabulary, spec_.n_vocabulary);
}

std::span<const float> SpeechSession::logprobs(uint32_t sequence) const {
  return step_->output_as<float>("logprobs")
      .subspan(size_t(sequence) * spec_.n_vocabulary, spec_.n_vocabulary);
}

BeamSearch::Candidate SpeechSession::candidate(std::span<const float> pair) const {
  // Not a number fails both comparisons.
  if (!(pair[0] <= 1.0f) || !(pair[1] >= 0 && pair[1] < float(spec_.n_vocabulary)))
    fail_wrong(session_.model().path(), concat("token ", pair[1], " with log-probability ", pair[0]));
  return {pair[0], int32_t(pair[1])};
}

BeamSearch::Candidate SpeechSession::best(uint32_t sequence) const {
  return candidate(step_->output_as<float>("best").subspan(2 * size_t(sequence), 2));
}

std::vector<BeamSearch::Candidate> SpeechSession::top(uint32_t sequence, size_t n) const {
  const auto all = step_->output_as<float>("top");
  const size_t row = all.size() / n_batch_;
  std::vector<BeamSearch::Candidate> out;
  for (size_t i = 0; i < std::min(n, row / 2); ++i)
    out.push_back(candidate(all.subspan(sequence * row + 2 * i, 2)));
  return out;
}

void SpeechSession::reorder(std::span<const uint32_t> order, uint32_t n_rows) {
  const Stopwatch watch(seconds.decode);
  Program &program = session_.program("reorder");
  program.set_input("order", order);
  program.set_step("rows", n_rows);
  run(program);
  step_ = nullptr;
}

} // namespace fovea
