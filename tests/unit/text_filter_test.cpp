// Generated text cut where a stop text begins.
#include "tasks/text_filter.h"

#include <doctest/doctest.h>

using namespace fovea;

namespace {

/// All that comes out of `pieces`.
std::string filtered(std::vector<std::string> stops, const std::vector<std::string> &pieces, bool &stopped) {
  TextFilter filter(std::move(stops));
  std::string out;
  for (const std::string &piece : pieces) out += filter.push(piece);
  stopped = filter.stopped();
  return out + filter.finish();
}

} // namespace

TEST_CASE("text filter: stop texts whole, in pieces, after false starts, none") {
  bool stopped = false;
  CHECK(filtered({"END"}, {"abc END def"}, stopped) == "abc ");
  CHECK(stopped);
  CHECK(filtered({"END"}, {"ab", "E", "N", "D", "x"}, stopped) == "ab");
  CHECK(stopped);
  CHECK(filtered({"ababc"}, {"abab", "abc", "d"}, stopped) == "ab");
  CHECK(stopped);
  CHECK(filtered({"END"}, {"EN", "TER", "EN"}, stopped) == "ENTEREN");
  CHECK_FALSE(stopped);
  CHECK(filtered({"later", "b"}, {"aa", "bb later"}, stopped) == "aa"); // the first to come
  CHECK(filtered({}, {"a", "b"}, stopped) == "ab");
}

TEST_CASE("text filter: only what may begin a stop text is held back") {
  TextFilter filter({"\n\nQ:"});
  CHECK(filter.push("one\n") == "one");
  CHECK(filter.push("two") == "\ntwo");
  CHECK(filter.push("\n\n") == "");
  CHECK(filter.push("Q") == "");
  CHECK(filter.push("A") == "\n\nQA");
}
