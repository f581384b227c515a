#include "text/unicode.h"

#include "text/unicode_tables.h"
#include "text/utf8.h"

#include <algorithm>
#include <utf8proc.h>
#include <vector>

namespace fovea {
namespace {
constexpr bool between(char32_t c, char32_t first, char32_t last) { return c >= first && c <= last; }

constexpr std::pair<const char *, int> kCategories[] = {
    {"Lu", UTF8PROC_CATEGORY_LU}, {"Ll", UTF8PROC_CATEGORY_LL}, {"Lm", UTF8PROC_CATEGORY_LM},
    {"Lo", UTF8PROC_CATEGORY_LO}, {"Mn", UTF8PROC_CATEGORY_MN}, {"Mc", UTF8PROC_CATEGORY_MC},
    {"Nd", UTF8PROC_CATEGORY_ND}, {"No", UTF8PROC_CATEGORY_NO}, {"Po", UTF8PROC_CATEGORY_PO},
    {"So", UTF8PROC_CATEGORY_SO}};

int old_category(char32_t c) { return utf8proc_category(utf8proc_int32_t(c)); }

int category(char32_t c) {
  const int found = old_category(c);
  if (found != UTF8PROC_CATEGORY_CN || c > 0x323AF) return found;
  for (const NewCodePoints &range : kNewInUnicode16)
    if (between(c, range.first, range.last))
      for (const auto &[name, number] : kCategories)
        if (std::string_view(range.category) == name) return number;
  return found;
}

/// Appends the full decomposition of `c`, in one step.
void append_decomposed(std::vector<utf8proc_int32_t> &out, char32_t c, bool compatibility) {
  if (contains(kNoCompatibility, c)) {
    out.push_back(utf8proc_int32_t(c));
    return;
  }
  utf8proc_int32_t parts[32]; // the longest is 18 (U+FDFA)
  int last_class = 0;
  const auto options = utf8proc_option_t(UTF8PROC_DECOMPOSE | (compatibility ? UTF8PROC_COMPAT : 0));
  const auto n = utf8proc_decompose_char(utf8proc_int32_t(c), parts, 32, options, &last_class);
  if (n < 0 || n > 32)
    out.push_back(utf8proc_int32_t(c));
  else
    out.insert(out.end(), parts, parts + n);
}

int combining_class(utf8proc_int32_t c) {
  const int found = utf8proc_get_property(c)->combining_class;
  return found == 0 || contains(kNoCombiningClass, char32_t(c)) ? 0 : found;
}

/// Canonical ordering: each run of combining marks sorted by class. (utf8proc's own is quadratic in the run.)
void order_marks(std::vector<utf8proc_int32_t> &text) {
  for (auto at = text.begin(); at != text.end();) {
    if (combining_class(*at) == 0) {
      ++at;
      continue;
    }
    auto end = at;
    while (end != text.end() && combining_class(*end) != 0) ++end;
    std::stable_sort(at, end, [](auto a, auto b) { return combining_class(a) < combining_class(b); });
    at = end;
  }
}
} // namespace

char32_t utf8_next(std::string_view text, size_t &at) {
  const auto lead = uint8_t(text[at]);
  const size_t length = utf8_length(text[at]);
  char32_t c = length == 1 ? lead : lead & (0x7F >> length);
  for (size_t i = 1; i < length; ++i) c = c << 6 | (uint8_t(text[at + i]) & 0x3F);
  at += length;
  return c;
}

bool is_white_space(char32_t c) {
  return between(c, 9, 13) || c == ' ' || c == 0x85 || c == 0xA0 || c == 0x1680 ||
         between(c, 0x2000, 0x200A) || c == 0x2028 || c == 0x2029 || c == 0x202F || c == 0x205F ||
         c == 0x3000;
}

bool is_punctuation(char32_t c) {
  if (c < 0x80)
    return between(c, '!', '/') || between(c, ':', '@') || between(c, '[', '`') || between(c, '{', '~');
  if (c == 0x166D || c == 0x111C9) return true; // symbol and mark today
  return between(char32_t(old_category(c)), UTF8PROC_CATEGORY_PC, UTF8PROC_CATEGORY_PO) &&
         !contains(kNotPunctuation, c);
}

bool is_numeric(char32_t c) {
  if (c < 0x80) return between(c, '0', '9');
  return between(char32_t(category(c)), UTF8PROC_CATEGORY_ND, UTF8PROC_CATEGORY_NO) ||
         contains(kNewNumbers, c);
}

bool is_other(char32_t c) {
  if (c < 0x80) return c < 32 || c == 127;
  return old_category(c) >= UTF8PROC_CATEGORY_CC && !contains(kNotFormat, c);
}

bool is_mark(char32_t c) {
  if (c == 0x1CF2 || c == 0x1CF3) return true; // letters today
  return c >= 0x300 && between(char32_t(old_category(c)), UTF8PROC_CATEGORY_MN, UTF8PROC_CATEGORY_ME) &&
         !contains(kNotMarks, c);
}

bool is_nonspacing_mark(char32_t c) {
  return c >= 0x300 && (old_category(c) == UTF8PROC_CATEGORY_MN || c == 0x1734) &&
         !contains(kNotNonspacing, c);
}

bool is_word_character(char32_t c) {
  if (c < 0x80) return between(c, 'a', 'z') || between(c, 'A', 'Z') || between(c, '0', '9') || c == '_';
  const int found = category(c);
  if (between(char32_t(found), UTF8PROC_CATEGORY_LU, UTF8PROC_CATEGORY_NL) || found == UTF8PROC_CATEGORY_PC)
    return true; // letters, marks, decimal digits, letter numbers
  // Alphabetic symbols, and the joiners.
  return between(c, 0x24B6, 0x24E9) || between(c, 0x1F130, 0x1F149) || between(c, 0x1F150, 0x1F169) ||
         between(c, 0x1F170, 0x1F189) || c == 0x200C || c == 0x200D;
}

bool is_ideograph_of_bert(char32_t c) {
  return between(c, 0x4E00, 0x9FFF) || between(c, 0x3400, 0x4DBF) || between(c, 0x20000, 0x2A6DF) ||
         between(c, 0x2A700, 0x2B73F) || between(c, 0x2B740, 0x2B81F) || between(c, 0x2B920, 0x2CEAF) ||
         between(c, 0xF900, 0xFAFF) || between(c, 0x2F800, 0x2FA1F);
}

void append_lower_case(std::string &out, char32_t c) {
  if (c < 0x80) {
    out += between(c, 'A', 'Z') ? char(c + 32) : char(c);
    return;
  }
  if (c == 0x130) { // the only character with more than one
    out += "i\xCC\x87";
    return;
  }
  for (const NewCapitals &range : kNewCapitals)
    if (between(c, range.first, range.last)) return utf8_append(out, range.to + (c - range.first));
  utf8_append(out, char32_t(utf8proc_tolower(utf8proc_int32_t(c))));
}

std::string normalize(std::string_view text, NormalForm form) {
  if (std::all_of(text.begin(), text.end(), [](char c) { return uint8_t(c) < 0x80; }))
    return std::string(text);
  const bool compatibility = form == NormalForm::KC || form == NormalForm::KD;
  std::vector<utf8proc_int32_t> points;
  points.reserve(text.size());
  for (size_t at = 0; at < text.size();) {
    const char32_t c = utf8_next(text, at);
    if (c < 0x80)
      points.push_back(utf8proc_int32_t(c));
    else
      append_decomposed(points, c, compatibility);
  }
  order_marks(points);
  size_t n = points.size();
  if (form == NormalForm::C || form == NormalForm::KC) {
    const auto options = utf8proc_option_t(UTF8PROC_COMPOSE | UTF8PROC_STABLE);
    n = size_t(
        std::max<utf8proc_ssize_t>(0, utf8proc_normalize_utf32(points.data(), utf8proc_ssize_t(n), options)));
  }
  std::string out;
  out.reserve(text.size());
  for (size_t i = 0; i < n; ++i) utf8_append(out, char32_t(points[i]));
  return out;
}

} // namespace fovea
