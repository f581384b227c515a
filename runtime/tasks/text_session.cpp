#include "tasks/text_session.h"

#include <algorithm>

namespace fovea {
namespace {

SessionOptions with_sizes(SessionOptions options, uint32_t n_context) {
  options.bindings["B"] = 1;
  options.bindings["C"] = n_context;
  return options;
}

} // namespace

TextSession::TextSession(std::shared_ptr<vk::Device> device, std::shared_ptr<const Model> model,
                         std::shared_ptr<const DeviceWeights> weights, const GenerateSpec &spec,
                         uint32_t n_context, uint32_t n_chunk, SessionOptions options)
    : spec_(spec), n_context_(n_context), n_chunk_(n_chunk),
      session_(std::move(device), std::move(model), std::move(weights), with_sizes(options, n_context)),
      profiling_(options.timestamps) {}

void TextSession::run(std::span<const int32_t> tokens, Want want) {
  for (const int32_t token : tokens)
    if (token < 0 || token >= int32_t(spec_.n_vocabulary))
      fail(ErrorCode::InvalidArgument, "token ", token, " is outside the model's vocabulary of ",
           spec_.n_vocabulary);
  if (tokens.size() > n_context_ - cached_.size())
    fail(ErrorCode::InvalidArgument, "a context of ", n_context_, " tokens has no room for ",
         cached_.size() + tokens.size());
  Program &program = prepare(tokens, uint32_t(cached_.size()), want);
  // A token by itself comes next: its kernels are created while the device works.
  if (tokens.size() > 1) session_.expect("step", {{"T", 1}}, {want == Want::Best ? "best" : "last"});
  session_.run(program, control_);
  if (profiling_) profile_.add(program);
  cached_.insert(cached_.end(), tokens.begin(), tokens.end());
  last_ = &program;
}

Program &TextSession::prepare(std::span<const int32_t> tokens, uint32_t at, Want want) {
  Program &program = session_.program("step", {{"T", tokens.size()}}, {want == Want::Best ? "best" : "last"});
  program.set_input("tokens", tokens);
  program.set_step("pos", at);
  return program;
}

size_t TextSession::set(std::span<const int32_t> tokens, bool reuse, Want want) {
  if (tokens.empty()) fail(ErrorCode::InvalidArgument, "no tokens to go on from");
  repeats_.reset();
  size_t shared = 0;
  if (reuse)
    shared = size_t(std::mismatch(cached_.begin(), cached_.end(), tokens.begin(), tokens.end()).first -
                    cached_.begin());
  shared = std::min(shared, tokens.size() - 1);
  cached_.resize(shared); // later rows are overwritten, and hidden until then
  for (size_t at = shared; at < tokens.size(); at += n_chunk_) {
    const size_t n = std::min<size_t>(n_chunk_, tokens.size() - at);
    run(tokens.subspan(at, n), at + n == tokens.size() ? want : Want::Best);
  }
  return shared;
}

void TextSession::append(int32_t token, Want want) {
  run({&token, 1}, want);
  if (want != Want::Best) return;
  const auto pair = last_->output_as<float>("best");
  repeats_.see(session_.model().path(), pair[1], pair[0]);
}

int32_t TextSession::best() const {
  const auto pair = last_->output_as<float>("best");
  // Not a number fails both comparisons.
  if (!(pair[0] > -1e38f && pair[0] < 1e38f) || !(pair[1] >= 0 && pair[1] < float(spec_.n_vocabulary)))
    fail_wrong(session_.model().path(), concat("token ", pair[1], " with logit ", pair[0]));
  return int32_t(pair[1]);
}

std::span<const float> TextSession::logits() const { return last_->output_as<float>("last"); }

} // namespace fovea
