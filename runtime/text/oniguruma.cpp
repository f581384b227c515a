#define PCRE2_CODE_UNIT_WIDTH 8
#include "text/oniguruma.h"

#include "base/error.h"
#include "text/unicode_tables.h"
#include "text/utf8.h"

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <optional>
#include <pcre2.h>

namespace fovea {
namespace {
// Oniguruma's shorthands and POSIX classes as items of a character class, and the categories of new code
// points that belong to them.
struct Set {
  std::string_view name, items;
  std::initializer_list<const char *> categories;
};
const Set kSets[] = {
    {"alnum", "\\p{Alphabetic}\\p{Nd}", {"L", "Nd"}},
    {"alpha", "\\p{Alphabetic}", {"L"}},
    {"blank", "\\t\\p{Zs}", {}},
    {"cntrl", "\\p{Cc}", {}},
    {"digit", "\\p{Nd}", {"Nd"}},
    {"lower", "\\p{Lowercase}", {"Ll"}},
    {"punct", "\\p{P}\\p{S}", {"P", "S"}},
    {"space", "\\p{White_Space}", {}},
    {"upper", "\\p{Uppercase}", {"Lu"}},
    // The superscripts and fractions of Latin-1 count as word characters there.
    {"word", "\\p{Alphabetic}\\p{M}\\p{Nd}\\p{Pc}\\xB2\\xB3\\xB9\\xBC-\\xBE", {"L", "M", "Nd"}},
    {"xdigit", "0-9a-fA-F", {}}};
// Names of properties that are no scripts: PCRE2 reads a script's name as its extensions.
constexpr std::string_view kNoScripts[] = {
    "Any",       "ASCII", "Alphabetic",  "White_Space",     "Lowercase",
    "Uppercase", "Emoji", "Ideographic", "ASCII_Hex_Digit", "Extended_Pictographic"};
constexpr std::pair<std::string_view, std::string_view> kLongNames[] = {{"Letter", "L"},
                                                                        {"Mark", "M"},
                                                                        {"Number", "N"},
                                                                        {"Punctuation", "P"},
                                                                        {"Symbol", "S"},
                                                                        {"Separator", "Z"},
                                                                        {"Other", "C"},
                                                                        {"Uppercase_Letter", "Lu"},
                                                                        {"Lowercase_Letter", "Ll"},
                                                                        {"Titlecase_Letter", "Lt"},
                                                                        {"Modifier_Letter", "Lm"},
                                                                        {"Other_Letter", "Lo"},
                                                                        {"Nonspacing_Mark", "Mn"},
                                                                        {"Decimal_Number", "Nd"}};
constexpr int kMaxNesting = 32;

/// Whether PCRE2's data is older than the reference's.
bool is_older_than_16() {
  char version[32] = "";
  pcre2_config(PCRE2_CONFIG_UNICODE_VERSION, version);
  return std::atoi(version) < 16;
}

/// The code points of a category ("L", "Nd") that PCRE2 may not know.
std::string new_code_points(std::string_view category) {
  static const bool older = is_older_than_16();
  std::string out;
  for (const NewCodePoints &range : kNewInUnicode16) {
    if (!older || !std::string_view(range.category).starts_with(category)) continue;
    char text[32];
    std::snprintf(text, sizeof text, "\\x{%X}-\\x{%X}", unsigned(range.first), unsigned(range.last));
    out += text;
  }
  return out;
}

/// The items of a set of kSets; nothing for another name.
std::optional<std::string> set_items(std::string_view name) {
  const auto same = [](char a, char b) { return (a | 32) == b; };
  for (const Set &set : kSets) {
    if (!std::equal(name.begin(), name.end(), set.name.begin(), set.name.end(), same)) continue;
    std::string out(set.items);
    for (const char *category : set.categories) out += new_code_points(category);
    return out;
  }
  return {};
}

class Translator {
public:
  Translator(std::string_view in, const std::string &source) : in_(in), source_(source) {}

  std::string run() {
    while (at_ < in_.size()) {
      const char c = in_[at_];
      if (c == '\\') {
        escape(false);
      } else if (c == '[') {
        ++at_;
        character_class(0);
      } else if (rest().starts_with("(?~")) {
        unsupported("an absent group (?~…)");
      } else if (rest().starts_with("(?m")) {
        out_ += "(?s"; // Ruby's m lets the dot match line ends
        at_ += 3;
      } else {
        out_ += c;
        ++at_;
      }
    }
    return std::move(out_);
  }

private:
  std::string_view rest() const { return in_.substr(at_); }
  [[noreturn]] void unsupported(std::string_view what) const {
    fail(ErrorCode::Unsupported, source_, ": the pattern '", utf8_replace_invalid(in_.substr(0, 120)),
         "' has ", what, ", which this build does not run");
  }

  /// A set of characters, within a class or as one.
  void items(std::string_view text, bool negated, bool in_class) {
    if (in_class && negated) unsupported("the opposite of a set of characters within [ ]");
    if (in_class)
      out_ += text;
    else
      out_ += concat(negated ? "[^" : "[", text, "]");
  }

  void escape(bool in_class) {
    if (at_ + 1 == in_.size()) { // PCRE2 will name the fault
      out_ += in_[at_++];
      return;
    }
    const char c = in_[at_ + 1];
    at_ += 2;
    switch (c) {
    case 's': out_ += "\\p{White_Space}"; break;
    case 'S': out_ += "\\P{White_Space}"; break;
    case 'd': items(*set_items("digit"), false, in_class); break;
    case 'D': items(*set_items("digit"), true, in_class); break;
    case 'w': items(*set_items("word"), false, in_class); break;
    case 'W': items(*set_items("word"), true, in_class); break;
    case 'h': items(*set_items("xdigit"), false, in_class); break;
    case 'H': items(*set_items("xdigit"), true, in_class); break;
    case 'p': property(false, in_class); break;
    case 'P': property(true, in_class); break;
    case 'b':
    case 'B': boundary(c == 'b', in_class); break;
    case 'u': // \uHHHH
      out_ += concat("\\x{", in_.substr(at_, 4), "}");
      at_ = std::min(in_.size(), at_ + 4);
      break;
    default: (out_ += '\\') += c;
    }
  }

  void boundary(bool at_one, bool in_class) {
    if (in_class) { // a backspace
      out_ += "\\b";
      return;
    }
    const std::string word = concat("[", *set_items("word"), "]");
    if (at_one)
      out_ += concat("(?:(?<=", word, ")(?!", word, ")|(?<!", word, ")(?=", word, "))");
    else
      out_ += concat("(?:(?<=", word, ")(?=", word, ")|(?<!", word, ")(?!", word, "))");
  }

  // Behind \p or \P.
  void property(bool negated, bool in_class) {
    const size_t end = rest().starts_with("{") ? in_.find('}', at_) : std::string_view::npos;
    if (end == std::string_view::npos) { // PCRE2 reads one letter, or names the fault
      out_ += negated ? "\\P" : "\\p";
      return;
    }
    std::string_view name = in_.substr(at_ + 1, end - at_ - 1);
    at_ = end + 1;
    if (name.starts_with('^')) {
      negated = !negated;
      name.remove_prefix(1);
    }
    for (const auto &[long_name, category] : kLongNames)
      if (name == long_name) name = category;
    if (const auto set = set_items(name)) return items(*set, negated, in_class);
    const bool category = name.size() <= 2;
    const bool script =
        !category && std::find(std::begin(kNoScripts), std::end(kNoScripts), name) == std::end(kNoScripts);
    const std::string added = category ? new_code_points(name) : "";
    if (added.empty() || (negated && in_class)) // the opposite of both cannot be said within a class
      out_ += concat(negated ? "\\P{" : "\\p{", script ? "sc:" : "", name, "}");
    else
      items(concat("\\p{", name, "}", added), negated, in_class);
  }

  // After the opening bracket. A class within a class is the union of both; without its brackets where it is
  // not negated.
  void character_class(int depth) {
    if (depth > kMaxNesting) unsupported("classes nested too deeply");
    const bool outer = depth == 0;
    if (outer) out_ += '[';
    if (rest().starts_with("^")) {
      if (!outer) unsupported("a negated class within a class");
      out_ += '^';
      ++at_;
    }
    for (bool first = true; at_ < in_.size(); first = false) {
      const char c = in_[at_];
      if (c == ']' && !first) {
        ++at_;
        if (outer) out_ += ']';
        return;
      }
      if (c == '\\') {
        escape(true);
      } else if (rest().starts_with("[:")) {
        posix();
      } else if (c == '[') {
        ++at_;
        character_class(depth + 1);
      } else if (rest().starts_with("&&")) {
        unsupported("an intersection of classes (&&)");
      } else {
        if (c == ']') out_ += '\\';
        out_ += c;
        ++at_;
      }
    }
    // Not closed: PCRE2 will name the fault.
  }

  // [:name:]
  void posix() {
    const size_t end = in_.find(":]", at_);
    const std::string_view name = end == std::string_view::npos ? "" : in_.substr(at_ + 2, end - at_ - 2);
    if (const auto set = set_items(name)) {
      out_ += *set;
      at_ = end + 2;
      return;
    }
    unsupported("a class [:…:] that is not known");
  }

  std::string_view in_;
  const std::string &source_;
  std::string out_;
  size_t at_ = 0;
};
} // namespace

std::string pcre2_from_oniguruma(std::string_view expression, const std::string &source) {
  return Translator(expression, source).run();
}

} // namespace fovea
