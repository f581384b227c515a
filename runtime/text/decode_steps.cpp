#include "text/decode_steps.h"

#include "text/byte_alphabet.h"
#include "text/clean_up.h"
#include "text/utf8.h"

#include <algorithm>
#include <optional>
#include <utility>

namespace fovea {
namespace {
constexpr std::string_view kReplacement = "\xEF\xBF\xBD";

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

class WholeTokens final : public StepBase {
public:
  WholeTokens(TokenSink &next, ChangeToken change) : StepBase(next), change_(std::move(change)) {}
  void text(std::string_view part) override { held_ += part; }
  void end_token() override {
    if (change_(held_, number_)) give(held_);
    held_.clear();
    ++number_;
  }
  void finish() override {
    number_ = 0;
    next_.finish();
  }

private:
  ChangeToken change_;
  std::string held_;
  size_t number_ = 0;
};

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

class Fuse final : public StepBase {
public:
  using StepBase::StepBase;
  void text(std::string_view part) override { next_.text(part); }
  void finish() override {
    next_.end_token();
    next_.finish();
  }
};

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

class ReplaceMatches final : public StepBase {
public:
  ReplaceMatches(TokenSink &next, Pattern pattern, std::string to)
      : StepBase(next), pattern_(std::move(pattern)), to_(std::move(to)) {}
  void text(std::string_view part) override { held_ += part; }
  void end_token() override {
    spans_.clear();
    if (!is_utf8(held_)) held_ = utf8_replace_invalid(held_); // tokens are a stranger's bytes
    pattern_.find(held_, spans_);
    for (const Span &span : spans_)
      next_.text(span.matched ? std::string_view(to_)
                              : std::string_view(held_).substr(span.begin, span.end - span.begin));
    held_.clear();
    next_.end_token();
  }

private:
  Pattern pattern_;
  std::string to_, held_;
  std::vector<Span> spans_;
};

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

class CtcStep final : public StepBase {
public:
  CtcStep(TokenSink &next, std::string blank, std::string delimiter, bool clean)
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

template <class T, class... Fields> MakeDecodeStep make(Fields... fields) {
  return [=](TokenSink &next, bool) { return std::make_unique<T>(next, fields...); };
}
} // namespace

void replace_all(std::string &text, std::string_view from, std::string_view to) {
  if (from.empty() || text.find(from) == std::string::npos) return;
  std::string out;
  size_t at = 0;
  for (size_t found; (found = text.find(from, at)) != std::string::npos; at = found + from.size())
    out.append(text, at, found - at).append(to);
  text = out.append(text, at);
}

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

MakeDecodeStep whole_tokens(ChangeToken change) { return make<WholeTokens>(std::move(change)); }
MakeDecodeStep byte_level() { return make<ByteLevel>(); }
MakeDecodeStep byte_fallback() {
  return [](TokenSink &next, bool eager) { return std::make_unique<ByteFallback>(next, eager); };
}
MakeDecodeStep fuse() { return make<Fuse>(); }
MakeDecodeStep strip(std::string mark, uint32_t left, uint32_t right) {
  return make<Strip>(std::move(mark), left, right);
}
MakeDecodeStep replace_text(std::string from, std::string to) {
  return make<ReplaceText>(std::move(from), std::move(to));
}
MakeDecodeStep replace_matches(Pattern pattern, std::string to) {
  return make<ReplaceMatches>(std::move(pattern), std::move(to));
}
MakeDecodeStep join() { return make<Join>(); }
MakeDecodeStep word_suffix(std::string suffix) { return make<WordSuffix>(std::move(suffix)); }
MakeDecodeStep ctc(std::string blank, std::string delimiter, bool clean) {
  return make<CtcStep>(std::move(blank), std::move(delimiter), clean);
}
MakeDecodeStep clean_up() { return make<CleanUp>(); }

} // namespace fovea
