// Pretokenizer: splits text into the pieces that are byte-pair-encoded apart, by a regular expression.
//
// Owns: a compiled PCRE2 pattern (UTF, Unicode properties, JIT where the platform has it). Thread-safety:
// split() may run on any number of threads. Throws: Error InvalidFile for a pattern that does not compile
// (with the offset), or that needs more backtracking than PCRE2's limits allow on a given text. Rejected:
// std::regex (no Unicode properties, recursion per character), hand-written splitters (one per vocabulary).
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace fovea {

class Pretokenizer {
public:
  /// `source` is what Errors name. An empty pattern splits nothing.
  Pretokenizer(std::string source, const std::string &pattern);

  /// Appends the pieces of `text`, in order; together they are `text`. What lies between two matches is a
  /// piece, and so is each run of bytes that is not UTF-8.
  void split(std::string_view text, std::vector<std::string_view> &pieces) const;

private:
  void split_valid(std::string_view text, std::vector<std::string_view> &pieces) const;
  std::string source_;
  std::shared_ptr<const void> code_; // pcre2_code
};

} // namespace fovea
