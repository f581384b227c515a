// DecodePipeline: token texts in, text out: a list of steps (docs/format.md, `fovea.tokenizer.decoder`), each
// a transducer that gives on what is certain and holds back what later tokens may change.
//
// One thread; made anew from a DecoderSpec for each text. The spec is immutable and throws Error InvalidFile
// from its constructor for steps that are unknown or malformed; a pipeline does for steps that make the text
// far longer (text/growth.h) and for a pattern that fails on it. The spec must outlive its pipelines.
#pragma once

#include "text/decode_steps.h"

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace fovea {

struct TokenizerData;

class DecoderSpec {
public:
  explicit DecoderSpec(const TokenizerData &data);
  /// Whether tokens are written in the byte alphabet; whether some stand for single bytes (<0x0A>).
  bool byte_level = false, byte_fallback = false;

private:
  friend class DecodePipeline;
  struct Entry {
    MakeDecodeStep make;
    bool may_grow; // by more than a character for each token
  };
  std::vector<Entry> steps_;
  std::string where_;
};

class DecodePipeline {
public:
  DecodePipeline(const DecoderSpec &spec, bool eager);
  DecodePipeline(const DecodePipeline &) = delete;
  DecodePipeline &operator=(const DecodePipeline &) = delete;

  void push(std::string_view token) {
    n_given_ += token.size() + 1;
    first_->text(token);
    first_->end_token();
  }
  void finish() {
    first_->finish();
    n_given_ = 0;
  }
  /// The text that has become certain since the last call.
  std::string take() { return std::exchange(result_.out, {}); }

private:
  struct Result final : TokenSink {
    void text(std::string_view part) override { out += part; }
    std::string out;
  };
  class Bound;
  Result result_;
  uint64_t n_given_ = 0;                          // bytes, and one for each token
  std::vector<std::unique_ptr<TokenSink>> steps_; // the last first
  TokenSink *first_;
};

} // namespace fovea
