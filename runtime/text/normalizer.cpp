#include "text/normalizer.h"

#include "base/error.h"
#include "text/byte_alphabet.h"
#include "text/charsmap.h"
#include "text/growth.h"
#include "text/pattern.h"
#include "text/step.h"
#include "text/tokenizer_data.h"
#include "text/unicode.h"
#include "text/utf8.h"

namespace fovea {
namespace {
constexpr size_t kMaxSteps = 64;
using Apply = std::function<void(NormalText &)>;

/// A step that looks at one character at a time: append(out, c, its UTF-8) writes what becomes of it.
template <class Append> Apply each_character(Append append) {
  return [append](NormalText &in) {
    std::string out;
    out.reserve(in.text.size());
    bool kept_first = true;
    for (size_t at = 0; at < in.text.size();) {
      const size_t begin = at;
      const char32_t c = utf8_next(in.text, at);
      append(out, c, std::string_view(in.text).substr(begin, at - begin));
      if (begin == 0) kept_first = !out.empty();
    }
    if (!kept_first && !out.empty()) in.at_start = false;
    in.text = std::move(out);
  };
}

/// Keeps the characters for which `keep` holds.
template <class Keep> Apply filter(Keep keep) {
  return each_character([keep](std::string &out, char32_t c, std::string_view bytes) {
    if (keep(c)) out += bytes;
  });
}

Apply normal_form(NormalForm form) {
  return [form](NormalText &in) { in.text = normalize(in.text, form); };
}

void lower_case(std::string &out, char32_t c, std::string_view) { append_lower_case(out, c); }

// BERT: no control characters, every white space a space.
void clean_text(std::string &out, char32_t c, std::string_view bytes) {
  const bool space = c == '\t' || c == '\n' || c == '\r';
  if (c == 0 || c == 0xFFFD || (is_other(c) && !space)) return;
  if (space || is_white_space(c))
    out += ' ';
  else
    out += bytes;
}

void space_ideographs(std::string &out, char32_t c, std::string_view bytes) {
  if (is_ideograph_of_bert(c))
    out.append(1, ' ').append(bytes).append(1, ' ');
  else
    out += bytes;
}

// SentencePiece's nmt rules: no ASCII control characters, odd spaces a space.
void nmt(std::string &out, char32_t c, std::string_view bytes) {
  if ((c >= 1 && c <= 8) || c == 0xB || (c >= 0xE && c <= 0x1F) || c == 0x7F || c == 0x8F || c == 0x9F)
    return;
  const bool space = c == 9 || c == 0xA || c == 0xC || c == 0xD || c == 0x1680 ||
                     (c >= 0x200B && c <= 0x200F) || c == 0x2028 || c == 0x2029 || c == 0x2581 ||
                     c == 0xFEFF || c == 0xFFFD;
  if (space)
    out += ' ';
  else
    out += bytes;
}

Apply strip(const Step &step) {
  const bool left = step.flag("left", true), right = step.flag("right", true);
  return [left, right](NormalText &in) {
    size_t begin = 0, end = in.text.size();
    while (left && begin < end) {
      size_t next = begin;
      if (!is_white_space(utf8_next(in.text, next))) break;
      begin = next;
    }
    while (right && end > begin) {
      size_t last = end - 1;
      while ((uint8_t(in.text[last]) & 0xC0) == 0x80) --last;
      size_t at = last;
      if (!is_white_space(utf8_next(in.text, at))) break;
      end = last;
    }
    if (begin > 0 && begin < end) in.at_start = false;
    in.text = in.text.substr(begin, end - begin);
  };
}

Apply prepend(const Step &step) {
  return [before = step.text("text", 256)](NormalText &in) {
    if (!in.text.empty()) in.text.insert(0, before);
  };
}

Apply replace(const Step &step, const std::string &source) {
  const Pattern pattern = step_pattern(step, source);
  return [pattern, with = step.text("with")](NormalText &in) {
    std::vector<Span> spans;
    pattern.find(in.text, spans);
    std::string out;
    for (const Span &span : spans)
      if (out.size() > in.max_bytes)
        break;
      else if (span.matched)
        out += with;
      else
        out.append(in.text, span.begin, span.end - span.begin);
    if (!spans.empty() && spans[0].matched && with.empty() && !out.empty()) in.at_start = false;
    in.text = std::move(out);
  };
}

Apply make_step(const Step &step, const TokenizerData &data, const std::string &where) {
  const std::string &kind = step.kind();
  step.only(kind == "strip"         ? std::vector<std::string_view>{"left", "right"}
            : kind == "prepend"     ? std::vector<std::string_view>{"text"}
            : kind == "replace"     ? std::vector<std::string_view>{"text", "regex", "with"}
            : kind == "precompiled" ? std::vector<std::string_view>{"rule"}
                                    : std::vector<std::string_view>{});
  if (kind == "nfc") return normal_form(NormalForm::C);
  if (kind == "nfd") return normal_form(NormalForm::D);
  if (kind == "nfkc") return normal_form(NormalForm::KC);
  if (kind == "nfkd") return normal_form(NormalForm::KD);
  if (kind == "lowercase") return each_character(lower_case);
  if (kind == "strip_accents") return filter([](char32_t c) { return !is_mark(c); });
  if (kind == "strip_nonspacing") return filter([](char32_t c) { return !is_nonspacing_mark(c); });
  if (kind == "clean_text") return each_character(clean_text);
  if (kind == "space_ideographs") return each_character(space_ideographs);
  if (kind == "nmt") return each_character(nmt);
  if (kind == "strip") return strip(step);
  if (kind == "prepend") return prepend(step);
  if (kind == "replace") return replace(step, where);
  if (kind == "precompiled") {
    const bool longest = step.choice("rule", {"cluster", "longest"}) == 1;
    return [longest, map = Charsmap(data.charsmap, where)](NormalText &in) {
      in.text = longest ? map.apply_longest(in.text, in.max_bytes) : map.apply(in.text, in.max_bytes);
    };
  }
  if (kind == "byte_level")
    return [](NormalText &in) {
      std::string out;
      for (const char byte : in.text) append_byte_alphabet(out, uint8_t(byte));
      in.text = std::move(out);
    };
  step.wrong("is unknown");
}
} // namespace

Normalizer::Normalizer(const TokenizerData &data) : where_(data.source + ": fovea.tokenizer.normalizer") {
  if (data.normalizer.size() > kMaxSteps)
    fail(ErrorCode::InvalidFile, data.source, ": ", data.normalizer.size(), " normalizer steps, at most ",
         kMaxSteps, " allowed");
  for (const std::string &line : data.normalizer)
    steps_.push_back(make_step(Step::parse(line, where_), data, where_));
}

void Normalizer::apply(NormalText &text) const {
  for (const auto &step : steps_) {
    step(text);
    check_growth(text.text.size(), text.max_bytes, where_);
  }
}

} // namespace fovea
