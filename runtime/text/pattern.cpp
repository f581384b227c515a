#define PCRE2_CODE_UNIT_WIDTH 8
#include "text/pattern.h"

#include "base/error.h"
#include "text/oniguruma.h"
#include "text/step.h"
#include "text/unicode.h"

#include <chrono>
#include <pcre2.h>

namespace fovea {
namespace {
constexpr size_t kMaxPatternBytes = 64 * 1024;
constexpr size_t kMaxLiteralBytes = 4096; // searching is as long as this at every place at worst
constexpr size_t kJitStackBytes = 1024 * 1024;
constexpr uint32_t kMaxBacktracks = 10'000'000;     // of one match
constexpr auto kMaxTime = std::chrono::seconds(20); // for one text: real patterns take 0.1 s for a megabyte
constexpr int kMatchesBetweenLooks = 256;           // at the clock

std::string message_of(int code) {
  char text[256] = "";
  pcre2_get_error_message(code, reinterpret_cast<PCRE2_UCHAR *>(text), sizeof text);
  return text;
}

template <class T, void (*release)(T *)> struct Release {
  void operator()(T *p) const { release(p); }
};
using MatchData = std::unique_ptr<pcre2_match_data, Release<pcre2_match_data, pcre2_match_data_free>>;
using MatchContext =
    std::unique_ptr<pcre2_match_context, Release<pcre2_match_context, pcre2_match_context_free>>;
using JitStack = std::unique_ptr<pcre2_jit_stack, Release<pcre2_jit_stack, pcre2_jit_stack_free>>;
} // namespace

Pattern Pattern::literal(std::string text) {
  Pattern out;
  out.text_ = std::move(text);
  return out;
}

Pattern Pattern::regex(std::string source, std::string_view expression) {
  Pattern out;
  out.source_ = std::move(source);
  if (expression.size() > kMaxPatternBytes)
    fail(ErrorCode::InvalidFile, out.source_, ": pattern of ", expression.size(), " bytes, at most ",
         kMaxPatternBytes, " allowed");
  const std::string translated = pcre2_from_oniguruma(expression, out.source_);
  int error = 0;
  PCRE2_SIZE offset = 0;
  pcre2_code *code = pcre2_compile(reinterpret_cast<PCRE2_SPTR>(translated.data()), translated.size(),
                                   PCRE2_UTF | PCRE2_UCP | PCRE2_MULTILINE | PCRE2_NEVER_BACKSLASH_C, &error,
                                   &offset, nullptr);
  if (!code)
    fail(ErrorCode::InvalidFile, out.source_, ": invalid pattern: ", message_of(error), " (near offset ",
         offset, ')');
  out.code_ = std::shared_ptr<const void>(code, [](pcre2_code *c) { pcre2_code_free(c); });
  pcre2_jit_compile(code, PCRE2_JIT_COMPLETE); // without JIT the interpreter gives the same, slower
  return out;
}

void Pattern::find(std::string_view text, std::vector<Span> &spans) const {
  code_ ? find_regex(text, spans) : find_literal(text, spans);
}

void Pattern::find_literal(std::string_view text, std::vector<Span> &spans) const {
  size_t at = 0; // everything before is in spans
  while (!text_.empty() && at < text.size()) {
    const size_t found = text.find(text_, at);
    if (found == std::string_view::npos) break;
    if (found > at) spans.push_back({at, found, false});
    at = found + text_.size();
    spans.push_back({found, at, true});
  }
  if (at < text.size()) spans.push_back({at, text.size(), false});
}

void Pattern::find_regex(std::string_view text, std::vector<Span> &spans) const {
  const auto *code = static_cast<const pcre2_code *>(code_.get());
  const MatchData match(pcre2_match_data_create(1, nullptr));
  const MatchContext context(pcre2_match_context_create(nullptr));
  thread_local JitStack stack; // mapped once, not for every text
  if (!stack) stack.reset(pcre2_jit_stack_create(32 * 1024, kJitStackBytes, nullptr));
  if (!match || !context) throw std::bad_alloc();
  pcre2_set_match_limit(context.get(), kMaxBacktracks);
  if (stack) pcre2_jit_stack_assign(context.get(), nullptr, stack.get());

  const auto begin = std::chrono::steady_clock::now();
  size_t at = 0, search = 0; // everything before `at` is in spans
  bool any = false;          // a match ended at `at`
  for (int n = 1; search <= text.size(); ++n) {
    const int result = pcre2_match(code, reinterpret_cast<PCRE2_SPTR>(text.data()), text.size(), search,
                                   PCRE2_NO_UTF_CHECK, match.get(), context.get());
    if (result == PCRE2_ERROR_NOMATCH) break;
    if (result < 0)
      fail(ErrorCode::InvalidFile, source_, ": the pattern fails on this text: ", message_of(result));
    if (n % kMatchesBetweenLooks == 0 && std::chrono::steady_clock::now() - begin > kMaxTime)
      fail(ErrorCode::InvalidFile, source_, ": the pattern takes longer than ", kMaxTime.count(),
           " s on this text");
    const PCRE2_SIZE *span = pcre2_get_ovector_pointer(match.get());
    if (span[0] < at || span[1] < span[0] || span[1] > text.size())
      fail(ErrorCode::InvalidFile, source_, ": the pattern matches backwards");
    if (span[0] == span[1] && any &&
        span[1] == at) { // an empty match right behind the last one does not count
      search += search < text.size() ? utf8_length(text[search]) : 1;
      continue;
    }
    if (span[0] > at) spans.push_back({at, span[0], false});
    spans.push_back({span[0], span[1], true});
    at = search = span[1];
    any = true;
  }
  if (at < text.size()) spans.push_back({at, text.size(), false});
}

Pattern step_pattern(const Step &step, const std::string &source) {
  if (step.has("text") == step.has("regex")) step.wrong("needs either 'text' or 'regex'");
  if (step.has("regex")) return Pattern::regex(source, step.text("regex"));
  return Pattern::literal(step.text("text", kMaxLiteralBytes));
}

} // namespace fovea
