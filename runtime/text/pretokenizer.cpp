#define PCRE2_CODE_UNIT_WIDTH 8
#include "text/pretokenizer.h"

#include "base/error.h"
#include "text/utf8.h"

#include <pcre2.h>

namespace fovea {
namespace {
constexpr size_t kMaxPatternBytes = 64 * 1024;
constexpr size_t kJitStackBytes = 1024 * 1024;

std::string message_of(int code) {
  char text[256] = "";
  pcre2_get_error_message(code, reinterpret_cast<PCRE2_UCHAR *>(text), sizeof text);
  return text;
}

/// PCRE2's \s has U+180E, which is no white space since Unicode 6.3; the tokenizers that made the
/// vocabularies use the property.
std::string with_unicode_spaces(const std::string &pattern) {
  std::string out;
  for (size_t i = 0; i < pattern.size(); ++i) {
    if (pattern[i] != '\\' || i + 1 == pattern.size()) {
      out += pattern[i];
      continue;
    }
    const char escaped = pattern[++i];
    if (escaped == 's')
      out += "\\p{White_Space}";
    else if (escaped == 'S')
      out += "\\P{White_Space}";
    else
      (out += '\\') += escaped;
  }
  return out;
}

template <class T, void (*release)(T *)> struct Release {
  void operator()(T *p) const { release(p); }
};
using MatchData = std::unique_ptr<pcre2_match_data, Release<pcre2_match_data, pcre2_match_data_free>>;
using MatchContext =
    std::unique_ptr<pcre2_match_context, Release<pcre2_match_context, pcre2_match_context_free>>;
using JitStack = std::unique_ptr<pcre2_jit_stack, Release<pcre2_jit_stack, pcre2_jit_stack_free>>;
} // namespace

Pretokenizer::Pretokenizer(std::string source, const std::string &pattern) : source_(std::move(source)) {
  if (pattern.empty()) return;
  if (pattern.size() > kMaxPatternBytes)
    fail(ErrorCode::InvalidFile, source_, ": pre-tokenizer pattern of ", pattern.size(), " bytes, at most ",
         kMaxPatternBytes, " allowed");
  const std::string translated = with_unicode_spaces(pattern);
  int error = 0;
  PCRE2_SIZE offset = 0;
  pcre2_code *code = pcre2_compile(reinterpret_cast<PCRE2_SPTR>(translated.data()), translated.size(),
                                   PCRE2_UTF | PCRE2_UCP | PCRE2_NEVER_BACKSLASH_C, &error, &offset, nullptr);
  if (!code)
    fail(ErrorCode::InvalidFile, source_, ": invalid pre-tokenizer pattern: ", message_of(error),
         " (near offset ", offset, ')');
  code_ = std::shared_ptr<const void>(code, [](pcre2_code *c) { pcre2_code_free(c); });
  pcre2_jit_compile(code, PCRE2_JIT_COMPLETE); // without JIT the interpreter gives the same, slower
}

void Pretokenizer::split(std::string_view text, std::vector<std::string_view> &pieces) const {
  size_t at = 0;
  while (at < text.size()) {
    const size_t begin = at;
    const bool valid = utf8_unit(text, at).kind == Utf8Unit::Valid;
    while (at < text.size()) {
      const Utf8Unit unit = utf8_unit(text, at);
      if ((unit.kind == Utf8Unit::Valid) != valid) break;
      at += unit.length;
    }
    const std::string_view run = text.substr(begin, at - begin);
    if (valid && code_)
      split_valid(run, pieces);
    else
      pieces.push_back(run);
  }
}

void Pretokenizer::split_valid(std::string_view text, std::vector<std::string_view> &pieces) const {
  const auto *code = static_cast<const pcre2_code *>(code_.get());
  const MatchData match(pcre2_match_data_create_from_pattern(code, nullptr));
  const MatchContext context(pcre2_match_context_create(nullptr));
  const JitStack stack(pcre2_jit_stack_create(32 * 1024, kJitStackBytes, nullptr));
  if (!match || !context) fail(ErrorCode::OutOfMemory, source_, ": no memory for the pre-tokenizer");
  if (stack) pcre2_jit_stack_assign(context.get(), nullptr, stack.get());

  size_t at = 0; // everything before is in pieces
  while (at < text.size()) {
    const int result = pcre2_match(code, reinterpret_cast<PCRE2_SPTR>(text.data()), text.size(), at,
                                   PCRE2_NO_UTF_CHECK | PCRE2_NOTEMPTY, match.get(), context.get());
    if (result == PCRE2_ERROR_NOMATCH) break;
    if (result < 0)
      fail(ErrorCode::InvalidFile, source_,
           ": the pre-tokenizer pattern fails on this text: ", message_of(result));
    const PCRE2_SIZE *span = pcre2_get_ovector_pointer(match.get());
    if (span[0] < at || span[1] <= span[0] || span[1] > text.size())
      fail(ErrorCode::InvalidFile, source_, ": the pre-tokenizer pattern matches backwards");
    if (span[0] > at) pieces.push_back(text.substr(at, span[0] - at));
    pieces.push_back(text.substr(span[0], span[1] - span[0]));
    at = span[1];
  }
  if (at < text.size()) pieces.push_back(text.substr(at));
}

} // namespace fovea
