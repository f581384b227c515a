#include "text/pretokenizer.h"

#include "base/error.h"
#include "text/byte_alphabet.h"
#include "text/growth.h"
#include "text/step.h"
#include "text/tokenizer_data.h"
#include "text/unicode.h"
#include "text/utf8.h"

#include <algorithm>

namespace fovea {
namespace {
constexpr size_t kMaxSteps = 64;
using Apply = std::function<void(Pieces &)>;

/// What becomes of the matches when text is split at them.
enum class Delimiters { Removed, Isolated, MergedWithPrevious, MergedWithNext, Contiguous };

Delimiters delimiters(const Step &step) {
  return Delimiters(step.choice(
      "behavior", {"removed", "isolated", "merged_with_previous", "merged_with_next", "contiguous"}));
}

/// Makes pieces of what find() gave, which covers the text.
void arrange(std::vector<Span> &spans, Delimiters delimiters) {
  const auto join = [&](bool from_the_end) { // each match joins what comes before it, unless that is a match
    std::vector<Span> out;
    bool previous_matched = false;
    if (from_the_end) std::reverse(spans.begin(), spans.end());
    for (const Span &span : spans) {
      if (span.matched && !previous_matched && !out.empty())
        (from_the_end ? out.back().begin = span.begin : out.back().end = span.end);
      else
        out.push_back(span);
      previous_matched = span.matched;
    }
    if (from_the_end) std::reverse(out.begin(), out.end());
    spans = std::move(out);
  };
  switch (delimiters) {
  case Delimiters::Isolated: break;
  case Delimiters::Removed: std::erase_if(spans, [](const Span &span) { return span.matched; }); break;
  case Delimiters::MergedWithPrevious: join(false); break;
  case Delimiters::MergedWithNext: join(true); break;
  case Delimiters::Contiguous: {
    std::vector<Span> out;
    for (const Span &span : spans)
      if (!out.empty() && out.back().matched == span.matched)
        out.back().end = span.end;
      else
        out.push_back(span);
    spans = std::move(out);
  }
  }
}

/// Splits each piece by find(text, spans).
template <class Find> void split_each(Pieces &pieces, Find find, Delimiters delimiters) {
  std::vector<Span> out, spans;
  const size_t start = pieces.spans.empty() ? 0 : pieces.spans[0].begin;
  for (const Span &piece : pieces.spans) {
    spans.clear();
    find(std::string_view(pieces.text).substr(piece.begin, piece.end - piece.begin), spans);
    arrange(spans, delimiters);
    for (const Span &span : spans)
      if (span.end > span.begin) out.push_back({piece.begin + span.begin, piece.begin + span.end, false});
  }
  if (out.empty() || out[0].begin != start) pieces.at_start = false;
  pieces.spans = std::move(out);
}

/// Rewrites each piece: append(out, piece, whether it begins the user's text).
template <class Append> void rewrite_each(Pieces &pieces, Append append) {
  Pieces out{{}, {}, pieces.at_start};
  out.text.reserve(pieces.text.size() + pieces.text.size() / 2);
  for (size_t i = 0; i < pieces.spans.size(); ++i) {
    const Span &span = pieces.spans[i];
    const size_t begin = out.text.size();
    append(out.text, std::string_view(pieces.text).substr(span.begin, span.end - span.begin),
           i == 0 && pieces.at_start);
    out.spans.push_back({begin, out.text.size(), false});
  }
  pieces = std::move(out);
}

Apply by_pattern(Pattern pattern, Delimiters delimiters, bool invert) {
  return [pattern = std::move(pattern), delimiters, invert](Pieces &pieces) {
    const auto find = [&](std::string_view text, std::vector<Span> &spans) {
      pattern.find(text, spans);
      for (Span &span : spans) span.matched ^= invert;
    };
    split_each(pieces, find, delimiters);
  };
}

/// Each character for which `matches` holds is a match.
template <class Matches> Apply by_character(Matches matches, Delimiters delimiters) {
  return [matches, delimiters](Pieces &pieces) {
    const auto find = [&](std::string_view text, std::vector<Span> &spans) {
      size_t last = 0;
      for (size_t at = 0; at < text.size();) {
        const size_t begin = at;
        if (!matches(utf8_next(text, at))) continue;
        if (last < begin) spans.push_back({last, begin, false});
        spans.push_back({begin, at, true});
        last = at;
      }
      if (last < text.size()) spans.push_back({last, text.size(), false});
    };
    split_each(pieces, find, delimiters);
  };
}

/// The longest runs of characters of one kind; kind 0 is left out.
template <class KindOf> Apply by_runs(KindOf kind_of) {
  return [kind_of](Pieces &pieces) {
    const auto find = [&](std::string_view text, std::vector<Span> &spans) {
      int last = 0;
      for (size_t at = 0; at < text.size();) {
        const size_t begin = at;
        const int kind = kind_of(utf8_next(text, at));
        if (kind != 0 && kind == last)
          spans.back().end = at;
        else if (kind != 0)
          spans.push_back({begin, at, false});
        last = kind;
      }
    };
    split_each(pieces, find, Delimiters::Isolated);
  };
}

Apply byte_level(const Step &step, const std::string &source) {
  std::optional<Apply> split;
  if (step.flag("regex", true))
    split = by_pattern(Pattern::regex(source, kByteLevelPattern), Delimiters::Isolated, false);
  return [prefix = step.flag("prefix_space", false), split](Pieces &pieces) {
    if (prefix)
      rewrite_each(pieces, [](std::string &out, std::string_view piece, bool) {
        if (piece[0] != ' ') out += ' ';
        out += piece;
      });
    if (split) (*split)(pieces);
    rewrite_each(pieces, [](std::string &out, std::string_view piece, bool) {
      for (const char byte : piece) append_byte_alphabet(out, uint8_t(byte));
    });
  };
}

Apply metaspace(const Step &step) {
  const std::string mark = step.has("mark") ? step.text("mark", 4) : "\xE2\x96\x81";
  if (mark.empty() || utf8_count(mark) != 1) step.wrong("needs one character as 'mark'");
  const size_t prepend = step.choice("prepend", {"always", "first", "never"});
  std::optional<Apply> split;
  if (step.flag("split", true)) split = by_pattern(Pattern::literal(mark), Delimiters::MergedWithNext, false);
  return [=](Pieces &pieces) {
    rewrite_each(pieces, [&](std::string &out, std::string_view piece, bool at_start) {
      const bool marked = piece[0] == ' ' || piece.starts_with(mark);
      if (!marked && (prepend == 0 || (prepend == 1 && at_start))) out += mark;
      for (const char c : piece)
        if (c == ' ')
          out += mark;
        else
          out += c;
    });
    if (split) (*split)(pieces);
  };
}

Apply fixed_length(const Step &step) {
  const uint32_t length = step.number("length", 5);
  if (length == 0) step.wrong("needs a 'length' of at least 1");
  return [length](Pieces &pieces) {
    const auto find = [&](std::string_view text, std::vector<Span> &spans) {
      for (size_t at = 0; at < text.size();) {
        const size_t begin = at;
        for (uint32_t i = 0; i < length && at < text.size(); ++i) utf8_next(text, at);
        spans.push_back({begin, at, false});
      }
    };
    split_each(pieces, find, Delimiters::Isolated);
  };
}

std::vector<std::string_view> fields_of(std::string_view kind) {
  if (kind == "byte_level") return {"prefix_space", "regex"};
  if (kind == "metaspace") return {"mark", "prepend", "split"};
  if (kind == "punctuation") return {"behavior"};
  if (kind == "digits") return {"individual"};
  if (kind == "split") return {"text", "regex", "behavior", "invert"};
  if (kind == "fixed_length") return {"length"};
  return {};
}

Apply make_step(const Step &step, const std::string &source) {
  const std::string &kind = step.kind();
  step.only(fields_of(kind));
  if (kind == "byte_level") return byte_level(step, source);
  if (kind == "metaspace") return metaspace(step);
  if (kind == "whitespace_split") return by_character(is_white_space, Delimiters::Removed);
  if (kind == "whitespace") // \w+|[^\w\s]+
    return by_runs([](char32_t c) { return is_word_character(c) ? 1 : is_white_space(c) ? 0 : 2; });
  if (kind == "punctuation") return by_character(is_punctuation, delimiters(step));
  if (kind == "digits")
    return by_character(is_numeric,
                        step.flag("individual", false) ? Delimiters::Isolated : Delimiters::Contiguous);
  if (kind == "split")
    return by_pattern(step_pattern(step, source), delimiters(step), step.flag("invert", false));
  if (kind == "fixed_length") return fixed_length(step);
  step.wrong("is unknown");
}
} // namespace

Pretokenizer::Pretokenizer(const TokenizerData &data)
    : where_(data.source + ": fovea.tokenizer.pre_tokenizer") {
  if (data.pre_tokenizer.size() > kMaxSteps)
    fail(ErrorCode::InvalidFile, data.source, ": ", data.pre_tokenizer.size(),
         " pre-tokenizer steps, at most ", kMaxSteps, " allowed");
  for (const std::string &line : data.pre_tokenizer) {
    const Step step = Step::parse(line, where_);
    steps_.push_back(make_step(step, where_));
    byte_level_ |= step.kind() == "byte_level";
  }
}

Pieces Pretokenizer::split(std::string text, bool at_start, uint64_t max_bytes) const {
  Pieces pieces{std::move(text), {}, at_start};
  if (!pieces.text.empty()) pieces.spans.push_back({0, pieces.text.size(), false});
  for (const auto &step : steps_) {
    step(pieces);
    check_growth(pieces.text.size(), max_bytes, where_);
  }
  return pieces;
}

} // namespace fovea
