#include "text/compression.h"

#include <doctest/doctest.h>
#include <string>

using namespace fovea;

// Expected: Python's len(t) / len(zlib.compress(t)).
TEST_CASE("compression ratio: Python's figures") {
  CHECK(compression_ratio("") == 0);
  CHECK(compression_ratio("a") == doctest::Approx(1.0 / 9).epsilon(1e-12));
  std::string thanks, words;
  for (int i = 0; i < 50; ++i) thanks += " Thank you.";
  CHECK(compression_ratio(thanks) == doctest::Approx(550.0 / 25).epsilon(1e-12));
  words = "And so, my fellow Americans, ask not what your country can do for you, ask what you can do for "
          "your country.";
  CHECK(compression_ratio(words) == doctest::Approx(108.0 / 80).epsilon(1e-12));
}
