// Pattern: finds a literal text or a regular expression in text.
//
// Owns: a compiled PCRE2 pattern (UTF, Unicode properties, JIT where the platform has it). Thread-safety:
// immutable. Throws: Error InvalidFile for a pattern that does not compile (with the offset), or that needs
// more backtracking or time than allowed on a given text. Expressions are written for Oniguruma (Ruby), which
// made the vocabularies; oniguruma.h translates them. Rejected: std::regex (no Unicode properties, recursion
// per character), hand-written splitters (one per vocabulary).
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace fovea {

class Step;

/// A range of bytes of a text.
struct Span {
  size_t begin, end;
  bool matched; // or between two matches
};

class Pattern {
public:
  /// `source` is what Errors name.
  static Pattern literal(std::string text);
  static Pattern regex(std::string source, std::string_view expression);

  /// Appends matches and what lies between them, in order; together they are `text`, valid UTF-8. Matches may
  /// be empty, the others not.
  void find(std::string_view text, std::vector<Span> &spans) const;

  const std::string &literal_text() const { return text_; }
  bool is_literal() const { return !code_; }

private:
  Pattern() = default;
  void find_literal(std::string_view text, std::vector<Span> &spans) const;
  void find_regex(std::string_view text, std::vector<Span> &spans) const;
  std::string source_;
  std::string text_;                 // of a literal
  std::shared_ptr<const void> code_; // pcre2_code
};

/// The pattern of a step's field `text` (taken literally) or `regex`.
Pattern step_pattern(const Step &step, const std::string &source);

} // namespace fovea
