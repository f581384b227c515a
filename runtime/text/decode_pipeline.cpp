#include "text/decode_pipeline.h"

#include "base/error.h"
#include "text/clean_up.h"
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
  const Pattern pattern = step_pattern(step, source);
  const std::string with = step.text("with", 1024);
  if (pattern.is_literal() && !pattern.literal_text().empty())
    return replace_text(pattern.literal_text(), with);
  return whole_tokens([=](std::string &token, size_t) {
    std::vector<Span> spans;
    pattern.find(token, spans);
    std::string out;
    for (const Span &span : spans)
      out += span.matched ? with : token.substr(span.begin, span.end - span.begin);
    token = std::move(out);
    return true;
  });
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

DecoderSpec::DecoderSpec(const TokenizerData &data) {
  if (data.decoder.size() > kMaxSteps)
    fail(ErrorCode::InvalidFile, data.source, ": ", data.decoder.size(), " decoder steps, at most ",
         kMaxSteps, " allowed");
  const std::string where = concat(data.source, ": fovea.tokenizer.decoder");
  for (const std::string &line : data.decoder) {
    const Step step = Step::parse(line, where);
    steps_.push_back(make_step(step, where));
    byte_level |= step.kind() == "byte_level";
    byte_fallback |= step.kind() == "byte_fallback";
  }
}

DecodePipeline::DecodePipeline(const DecoderSpec &spec, bool eager) : first_(&result_) {
  for (auto make_step = spec.steps_.rbegin(); make_step != spec.steps_.rend(); ++make_step) {
    steps_.push_back((*make_step)(*first_, eager));
    first_ = steps_.back().get();
  }
}

} // namespace fovea
