#include "base/error.h"
#include "text/pattern.h"
#include "text/tokenizer_data.h"

#include <doctest/doctest.h>

using namespace fovea;

namespace {
using Pieces = std::vector<std::string_view>;

/// Matches and what lies between.
Pieces split(const std::string &pattern, std::string_view text) {
  std::vector<Span> spans;
  Pattern::regex("test", pattern).find(text, spans);
  Pieces pieces;
  for (const Span &span : spans) pieces.push_back(text.substr(span.begin, span.end - span.begin));
  return pieces;
}

std::string error_with(const std::string &pattern) {
  try {
    Pattern::regex("test", pattern);
  } catch (const Error &error) {
    return error.what();
  }
  return "no error";
}
} // namespace

TEST_CASE("patterns: what does not compile") {
  CHECK(error_with("(a").find("test: invalid pattern: missing closing parenthesis (near offset 2)") == 0);
  CHECK(error_with("\\").find("invalid pattern") != std::string::npos);
  CHECK(error_with("[\xFF]").find("invalid pattern") != std::string::npos);
  CHECK(error_with("\\C").find("invalid pattern") != std::string::npos);
  CHECK(error_with("[a").find("invalid pattern") != std::string::npos);
  CHECK(error_with(std::string(1 << 20, '(')).find("65536") != std::string::npos);
  CHECK(error_with(std::string(5000, '(')).find("invalid pattern") != std::string::npos);
  CHECK(error_with(std::string(5000, '[')).find("nested too deeply") != std::string::npos);
  CHECK(error_with("[a-z&&[^b]]").find("intersection") != std::string::npos);
}

TEST_CASE("patterns: matches and what lies between") {
  CHECK(split("b*", "abba") == Pieces{"", "a", "bb", "a", ""});
  CHECK(split("b+", "abba") == Pieces{"a", "bb", "a"});
  CHECK(split("z", "") == Pieces{});
  CHECK(split("(?=b)", "abab") == Pieces{"a", "", "ba", "", "b"});
  CHECK(split("\\s+|\\S+", "a\xE1\xA0\x8E b") ==
        Pieces{"a\xE1\xA0\x8E", " ", "b"}); // U+180E is no white space
  CHECK(split("[^\\s]+", "a\\s b") == Pieces{"a\\s", " ", "b"});
  CHECK(split("[^(\\s|[.,])]+", "a(b. c") == Pieces{"a", "(", "b", ". ", "c"}); // a class in a class
  CHECK(split("\\w+", "a_b\xCC\x81-") == Pieces{"a_b\xCC\x81", "-"});
  CHECK(split("^b", "a\nb") == Pieces{"a\n", "b"});         // every line
  CHECK(split("\\h+", "xff y") == Pieces{"x", "ff", " y"}); // hexadecimal digits
}

TEST_CASE("patterns: backtracking without end is an error") {
  CHECK_THROWS_AS(split("(?:a+)+(?:a+)+(?:a+)+$", std::string(5000, 'a') + 'b'), Error);
  CHECK_THROWS_AS(split("(?R)", "a"), Error);
}
