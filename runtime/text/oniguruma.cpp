#include "text/oniguruma.h"

#include "base/error.h"
#include "text/utf8.h"

namespace fovea {
namespace {
// What the two engines' shorthands stand for, as items of a character class.
constexpr const char *kSpace = "\\p{White_Space}", *kNotSpace = "\\P{White_Space}";
constexpr const char *kWord = "\\p{L}\\p{M}\\p{N}\\p{Pc}";
constexpr const char *kHex = "0-9a-fA-F";
constexpr int kMaxNesting = 32;

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
      } else if (c == '(' && in_.substr(at_).starts_with("(?~")) {
        unsupported("an absent group (?~…)");
      } else if (c == '(' && in_.substr(at_).starts_with("(?m")) {
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
  [[noreturn]] void unsupported(std::string_view what) const {
    fail(ErrorCode::Unsupported, source_, ": the pattern '", utf8_replace_invalid(in_.substr(0, 120)),
         "' has ", what, ", which this build does not run");
  }

  void escape(bool in_class) {
    if (at_ + 1 == in_.size()) { // PCRE2 will name the fault
      out_ += in_[at_++];
      return;
    }
    const char c = in_[at_ + 1];
    at_ += 2;
    const auto one_of = [&](const char *items, bool negated) {
      if (in_class && negated) unsupported(concat("\\", c, " within [ ]"));
      if (in_class)
        out_ += items;
      else
        out_ += concat(negated ? "[^" : "[", items, "]");
    };
    switch (c) {
    case 's': out_ += kSpace; break;
    case 'S': out_ += kNotSpace; break;
    case 'w': one_of(kWord, false); break;
    case 'W': one_of(kWord, true); break;
    case 'h': one_of(kHex, false); break;
    case 'H': one_of(kHex, true); break;
    case 'b':
      if (in_class)
        out_ += "\\b";
      else
        out_ += concat("(?:(?<=[", kWord, "])(?![", kWord, "])|(?<![", kWord, "])(?=[", kWord, "]))");
      break;
    case 'B':
      out_ += concat("(?:(?<=[", kWord, "])(?=[", kWord, "])|(?<![", kWord, "])(?![", kWord, "]))");
      break;
    case 'u': // \uHHHH
      out_ += "\\x{";
      for (int i = 0; i < 4 && at_ < in_.size(); ++i) out_ += in_[at_++];
      out_ += '}';
      break;
    default: (out_ += '\\') += c;
    }
  }

  // After the opening bracket. A class within a class is the union of both; without its brackets where it is
  // not negated.
  void character_class(int depth) {
    if (depth > kMaxNesting) unsupported("classes nested too deeply");
    const bool outer = depth == 0;
    if (outer) out_ += '[';
    if (at_ < in_.size() && in_[at_] == '^') {
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
      } else if (in_.substr(at_).starts_with("[:")) {
        const size_t end = in_.find(":]", at_);
        if (end == std::string_view::npos) unsupported("a [: without :]");
        out_ += in_.substr(at_, end + 2 - at_);
        at_ = end + 2;
      } else if (c == '[') {
        ++at_;
        character_class(depth + 1);
      } else if (in_.substr(at_).starts_with("&&")) {
        unsupported("an intersection of classes (&&)");
      } else {
        if (c == ']') out_ += '\\';
        out_ += c;
        ++at_;
      }
    }
    // Not closed: PCRE2 will name the fault.
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
