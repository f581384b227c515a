// DecodePipeline: token texts in, text out: a list of steps (docs/format.md, `fovea.tokenizer.decoder`), each
// a transducer that gives on what is certain and holds back what later tokens may change.
//
// One thread; made anew from a DecoderSpec for each text. The spec is immutable and throws Error InvalidFile
// from its constructor for steps that are unknown or malformed.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace fovea {

struct TokenizerData;

/// What a step gives its texts to: the next step, or the result. A token's text may come in parts, each of
/// whole characters.
class TokenSink {
public:
  virtual ~TokenSink() = default;
  virtual void text(std::string_view part) = 0;
  virtual void end_token() {}
  virtual void finish() {}
};

/// Makes one step of the pipeline, in front of `next`. `eager`: see TokenStream.
using MakeDecodeStep = std::function<std::unique_ptr<TokenSink>(TokenSink &next, bool eager)>;

/// The byte that a token <0x0A> stands for; -1: none.
int byte_of_token(std::string_view token);

class DecoderSpec {
public:
  explicit DecoderSpec(const TokenizerData &data);
  /// Whether tokens are written in the byte alphabet; whether some stand for single bytes (<0x0A>).
  bool byte_level = false, byte_fallback = false;

private:
  friend class DecodePipeline;
  std::vector<MakeDecodeStep> steps_;
};

class DecodePipeline {
public:
  DecodePipeline(const DecoderSpec &spec, bool eager);
  DecodePipeline(const DecodePipeline &) = delete;
  DecodePipeline &operator=(const DecodePipeline &) = delete;

  void push(std::string_view token) {
    first_->text(token);
    first_->end_token();
  }
  void finish() { first_->finish(); }
  /// The text that has become certain since the last call.
  std::string take() { return std::exchange(result_.out, {}); }

private:
  struct Result final : TokenSink {
    void text(std::string_view part) override { out += part; }
    std::string out;
  };
  Result result_;
  std::vector<std::unique_ptr<TokenSink>> steps_; // the last first
  TokenSink *first_;
};

} // namespace fovea
