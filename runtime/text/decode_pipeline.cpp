#include "text/decode_pipeline.h"

#include "base/error.h"
#include "text/byte_alphabet.h"
#include "text/clean_up.h"
#include "text/pattern.h"
#include "text/step.h"
#include "text/tokenizer_data.h"
#include "text/unicode.h"
#include "text/utf8.h"

#include <algorithm>

namespace fovea {
namespace {
constexpr size_t kMaxSteps = 64;
constexpr std::string_view kReplacement = "\xEF\xBF\xBD";

void replace_all(std::string &text, std::string_view from, std::string_view to) {
  if (from.empty() || text.find(from) == std::string::npos) return;
  std::string out;
  size_t at = 0;
  for (size_t found; (found = text.find(from, at)) != std::string::npos; at = found + from.size())
    out.append(text, at, found - at).append(to);
  text = out.append(text, at);
}

class StepBase : public TokenSink {
public:
  explicit StepBase(TokenSink &next) : next_(next) {}
  void finish() override { next_.finish(); }

protected:
  void give(std::string_view token) {
    next_.text(token);
    next_.end_token();
  }
  TokenSink &next_;
};

/// A step that looks at one whole token at a time: use(token, its number, next).
template <class Use> class WholeTokens final : public StepBase {
public:
  WholeTokens(TokenSink &next, Use use) : StepBase(next), use_(std::move(use)) {}
  void text(std::string_view part) override { held_ += part; }
  void end_token() override {
    if (use_(held_, number_)) give(held_);
    held_.clear();
    ++number_;
  }
  void finish() override {
    number_ = 0;
    next_.finish();
  }

private:
  Use use_;
  std::string held_;
  size_t number_ = 0;
};
/// use(token, number) changes the token in place; false: it is left out.
template <class Use> MakeDecodeStep whole_tokens(Use use) {
  return [use](TokenSink &next, bool) { return std::make_unique<WholeTokens<Use>>(next, use); };
}

/// All tokens' bytes are one text.
class ByteLevel final : public StepBase {
public:
  using StepBase::StepBase;
  void text(std::string_view part) override { held_ += part; }
  void end_token() override {
    const auto bytes = alphabet_to_bytes(held_);
    next_.text(stream_.push(bytes ? *bytes : held_));
    held_.clear();
  }
  void finish() override {
    next_.text(stream_.finish());
    next_.end_token();
    next_.finish();
  }

private:
  std::string held_;
  Utf8Stream stream_;
};

/// Tokens <0x00> … in a row are one text, if it is UTF-8, and else one U+FFFD each.
class ByteFallback final : public StepBase {
public:
  ByteFallback(TokenSink &next, bool eager) : StepBase(next), eager_(eager) {}
  void text(std::string_view part) override { held_ += part; }
  void end_token() override {
    if (const int byte = byte_of_token(held_); byte >= 0) {
      run_ += char(byte);
      if (eager_) give_complete();
    } else {
      end_run();
      give(held_);
    }
    held_.clear();
  }
  void finish() override {
    end_run();
    next_.finish();
  }

private:
  void give_complete() {
    if (const Utf8Unit unit = utf8_unit(run_, 0); !broken_ && unit.kind == Utf8Unit::Valid) {
      give(run_);
      run_.clear();
    } else {
      broken_ |= unit.kind == Utf8Unit::Invalid;
    }
  }
  void end_run() {
    bool valid = !broken_;
    for (size_t at = 0; valid && at < run_.size();) {
      const Utf8Unit unit = utf8_unit(run_, at);
      valid = unit.kind == Utf8Unit::Valid;
      at += unit.length;
    }
    if (valid && !run_.empty()) give(run_);
    for (size_t i = 0; !valid && i < run_.size(); ++i) give(kReplacement);
    run_.clear();
    broken_ = false;
  }
  bool eager_, broken_ = false;
  std::string held_, run_; // the token; bytes not given on yet
};

/// All tokens become one.
class Fuse final : public StepBase {
public:
  using StepBase::StepBase;
  void text(std::string_view part) override { next_.text(part); }
  void finish() override {
    next_.end_token();
    next_.finish();
  }
};

/// Takes up to `left` and `right` characters `mark` from the ends of each token.
class Strip final : public StepBase {
public:
  Strip(TokenSink &next, std::string mark, uint32_t left, uint32_t right)
      : StepBase(next), mark_(std::move(mark)), left_(left), right_(right), to_strip_(left) {}
  void text(std::string_view part) override {
    while (to_strip_ > 0 && part.starts_with(mark_)) {
      part.remove_prefix(mark_.size());
      --to_strip_;
    }
    if (part.empty()) return;
    to_strip_ = 0;
    size_t end = part.size();
    uint32_t n = 0;
    while (n < right_ && part.substr(0, end).ends_with(mark_)) {
      end -= mark_.size();
      ++n;
    }
    const uint32_t n_before =
        end == 0 ? 0 : std::exchange(n_held_, 0); // what was held is no longer at the end
    for (uint32_t i = 0; i < n_before; ++i) next_.text(mark_);
    next_.text(part.substr(0, end));
    n_held_ += n;
    for (; n_held_ > right_; --n_held_) next_.text(mark_);
  }
  void end_token() override {
    to_strip_ = left_;
    n_held_ = 0;
    next_.end_token();
  }
  void finish() override {
    to_strip_ = left_;
    n_held_ = 0;
    next_.finish();
  }

private:
  std::string mark_;
  uint32_t left_, right_, to_strip_, n_held_ = 0;
};

/// A literal text becomes another, within each token.
class ReplaceText final : public StepBase {
public:
  ReplaceText(TokenSink &next, std::string from, std::string to)
      : StepBase(next), from_(std::move(from)), to_(std::move(to)) {}
  void text(std::string_view part) override {
    held_ += part;
    size_t at = 0;
    for (size_t found; (found = held_.find(from_, at)) != std::string::npos; at = found + from_.size()) {
      next_.text(std::string_view(held_).substr(at, found - at));
      next_.text(to_);
    }
    // An end that may be the beginning of a match stays, from a character's first byte on.
    size_t keep = std::min(from_.size() - 1, held_.size() - at);
    while (keep > 0 && !from_.starts_with(std::string_view(held_).substr(held_.size() - keep))) --keep;
    next_.text(std::string_view(held_).substr(at, held_.size() - keep - at));
    held_.erase(0, held_.size() - keep);
  }
  void end_token() override {
    next_.text(held_);
    held_.clear();
    next_.end_token();
  }

private:
  std::string from_, to_, held_;
};

/// Between tokens, where there is no decoder.
class Join final : public StepBase {
public:
  using StepBase::StepBase;
  void text(std::string_view part) override { held_ += part; }
  void end_token() override {
    if (any_) held_.insert(0, 1, ' ');
    any_ = true;
    give(held_);
    held_.clear();
  }
  void finish() override {
    any_ = false;
    next_.finish();
  }

private:
  std::string held_;
  bool any_ = false;
};

/// BPE with a suffix at the ends of words, which is a space but at the end.
class WordSuffix final : public StepBase {
public:
  WordSuffix(TokenSink &next, std::string suffix) : StepBase(next), suffix_(std::move(suffix)) {}
  void text(std::string_view part) override { held_ += part; }
  void end_token() override {
    if (last_) give_last(" ");
    last_ = std::exchange(held_, {});
  }
  void finish() override {
    if (last_) give_last("");
    last_.reset();
    next_.finish();
  }

private:
  void give_last(std::string_view replacement) {
    replace_all(*last_, suffix_, replacement);
    give(*last_);
  }
  std::string suffix_, held_;
  std::optional<std::string> last_;
};

/// CTC: equal neighbours are one; the blank token is nothing.
class Ctc final : public StepBase {
public:
  Ctc(TokenSink &next, std::string blank, std::string delimiter, bool clean)
      : StepBase(next), blank_(std::move(blank)), delimiter_(std::move(delimiter)), clean_(clean) {}
  void text(std::string_view part) override { held_ += part; }
  void end_token() override {
    std::string token = std::exchange(held_, {});
    if (last_ == token) return;
    last_ = token;
    replace_all(token, blank_, "");
    if (clean_) {
      clean_up_token(token);
      replace_all(token, delimiter_, " ");
    }
    if (!token.empty()) give(token);
  }
  void finish() override {
    last_.reset();
    next_.finish();
  }

private:
  std::string blank_, delimiter_, held_;
  bool clean_;
  std::optional<std::string> last_;
};

/// English punctuation without the spaces before it, over the whole text.
class CleanUp final : public StepBase {
public:
  using StepBase::StepBase;
  void text(std::string_view part) override {
    const size_t seen = held_.size();
    held_ += part;
    const size_t certain = clean_up_boundary(held_, seen);
    std::string out = held_.substr(0, certain);
    held_.erase(0, certain);
    clean_up_text(out);
    next_.text(out);
  }
  void finish() override {
    clean_up_text(held_);
    next_.text(held_);
    held_.clear();
    next_.end_token();
    next_.finish();
  }

private:
  std::string held_;
};

template <class T, class... Fields> MakeDecodeStep make(const Fields &...fields) {
  return [=](TokenSink &next, bool) { return std::make_unique<T>(next, fields...); };
}

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
    return make<ReplaceText>(pattern.literal_text(), with);
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
  if (kind == "byte_level") return make<ByteLevel>();
  if (kind == "metaspace") return metaspace(step);
  if (kind == "word_piece") return word_piece(step);
  if (kind == "byte_fallback")
    return [](TokenSink &next, bool eager) { return std::make_unique<ByteFallback>(next, eager); };
  if (kind == "fuse") return make<Fuse>();
  if (kind == "join") return make<Join>();
  if (kind == "strip") {
    if (step.text("text", 4).empty()) step.wrong("needs one character as 'text'");
    return make<Strip>(step.text("text", 4), step.number("left", 0), step.number("right", 0));
  }
  if (kind == "replace") return replace(step, source);
  if (kind == "bpe") return make<WordSuffix>(step.text("suffix", 256));
  if (kind == "ctc")
    return make<Ctc>(step.text("blank", 256), step.text("delimiter", 256), step.flag("cleanup", true));
  if (kind == "clean_up") return make<CleanUp>();
  step.wrong("is unknown");
}
} // namespace

int byte_of_token(std::string_view token) {
  if (token.size() != 6 || !token.starts_with("<0x") || token[5] != '>') return -1;
  const auto digit = [](char c) {
    if (c >= '0' && c <= '9') return c - '0';
    if (c >= 'a' && c <= 'f') return c - 'a' + 10;
    return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
  };
  const int high = digit(token[3]), low = digit(token[4]);
  return high < 0 || low < 0 ? -1 : high * 16 + low;
}

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
