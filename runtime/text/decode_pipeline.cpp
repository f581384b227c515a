#include "text/decode_pipeline.h"

#include "base/error.h"
#include "text/clean_up.h"
#include "text/growth.h"
#include "text/pattern.h"
#include "text/step.h"
#include "text/tokenizer_data.h"

namespace fovea {
namespace {
constexpr size_t kMaxSteps = 64;

MakeDecodeStep metaspace(const Step &step) {
  const std::string mark = step.has("mark") ? step.text("mark", 4) : "\xE2\x96\x81";
  const bool drop_first = step.choice("prepend", {"always", "first", "never"}) != 2;
  return whole_tokens([=](std::string &token, size_t number) {
    replace_all(token, mark, number == 0 && drop_first ? "" : " ");
    return true;
  });
}

MakeDecodeStep word_piece(const Step &step) {
  const std::string prefix = step.has("prefix") ? step.text("prefix", 256) : "##";
  const bool clean = step.flag("cleanup", true);
  return whole_tokens([=](std::string &token, size_t number) {
    if (number > 0 && token.starts_with(prefix))
      token.erase(0, prefix.size());
    else if (number > 0)
      token.insert(0, 1, ' ');
    if (clean) clean_up_token(token);
    return true;
  });
}

MakeDecodeStep replace(const Step &step, const std::string &source) {
  Pattern pattern = step_pattern(step, source);
  std::string with = step.text("with", 1024);
  if (pattern.is_literal() && !pattern.literal_text().empty())
    return replace_text(pattern.literal_text(), std::move(with));
  return replace_matches(std::move(pattern), std::move(with));
}

MakeDecodeStep make_step(const Step &step, const std::string &source) {
  const std::string &kind = step.kind();
  step.only(kind == "metaspace"    ? std::vector<std::string_view>{"mark", "prepend"}
            : kind == "word_piece" ? std::vector<std::string_view>{"prefix", "cleanup"}
            : kind == "strip"      ? std::vector<std::string_view>{"text", "left", "right"}
            : kind == "replace"    ? std::vector<std::string_view>{"text", "regex", "with"}
            : kind == "bpe"        ? std::vector<std::string_view>{"suffix"}
            : kind == "ctc"        ? std::vector<std::string_view>{"blank", "delimiter", "cleanup"}
                                   : std::vector<std::string_view>{});
  if (kind == "byte_level") return byte_level();
  if (kind == "metaspace") return metaspace(step);
  if (kind == "word_piece") return word_piece(step);
  if (kind == "byte_fallback") return byte_fallback();
  if (kind == "fuse") return fuse();
  if (kind == "join") return join();
  if (kind == "strip") {
    if (step.text("text", 4).empty()) step.wrong("needs one character as 'text'");
    return strip(step.text("text", 4), step.number("left", 0), step.number("right", 0));
  }
  if (kind == "replace") return replace(step, source);
  if (kind == "bpe") return word_suffix(step.text("suffix", 256));
  if (kind == "ctc")
    return ctc(step.text("blank", 256), step.text("delimiter", 256), step.flag("cleanup", true));
  if (kind == "clean_up") return clean_up();
  step.wrong("is unknown");
}
} // namespace

/// Lets text through, no more than what tokens given so far allow.
class DecodePipeline::Bound final : public TokenSink {
public:
  Bound(TokenSink &next, const uint64_t &n_given, const std::string &where)
      : next_(next), n_given_(n_given), where_(where) {}
  void text(std::string_view part) override {
    n_taken_ += part.size();
    check_growth(n_taken_, max_grown_bytes(n_given_), where_);
    next_.text(part);
  }
  void end_token() override { next_.end_token(); }
  void finish() override {
    n_taken_ = 0;
    next_.finish();
  }

private:
  TokenSink &next_;
  const uint64_t &n_given_;
  const std::string &where_;
  uint64_t n_taken_ = 0;
};

DecoderSpec::DecoderSpec(const TokenizerData &data) : where_(data.source + ": fovea.tokenizer.decoder") {
  if (data.decoder.size() > kMaxSteps)
    fail(ErrorCode::InvalidFile, data.source, ": ", data.decoder.size(), " decoder steps, at most ",
         kMaxSteps, " allowed");
  for (const std::string &line : data.decoder) {
    const Step step = Step::parse(line, where_);
    steps_.push_back({make_step(step, where_), step.kind() == "replace"});
    byte_level |= step.kind() == "byte_level";
    byte_fallback |= step.kind() == "byte_fallback";
  }
}

DecodePipeline::DecodePipeline(const DecoderSpec &spec, bool eager) : first_(&result_) {
  const auto put_before = [&](std::unique_ptr<TokenSink> step) {
    first_ = steps_.emplace_back(std::move(step)).get();
  };
  for (auto step = spec.steps_.rbegin(); step != spec.steps_.rend(); ++step) {
    if (step->may_grow) put_before(std::make_unique<Bound>(*first_, n_given_, spec.where_));
    put_before(step->make(*first_, eager));
  }
}

} // namespace fovea
