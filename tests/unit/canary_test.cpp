// Scores that no working device gives.
#include "tasks/canary.h"

#include <cmath>
#include <doctest/doctest.h>
#include <vector>

using namespace fovea;

TEST_CASE("canary: sixteen steps with the very same token and score are an error, fifteen are none") {
  RepeatCanary canary;
  const auto steps = [&](uint32_t n, float token, float score) {
    for (uint32_t i = 0; i < n; ++i) canary.see("m.gguf", token, score);
  };
  steps(15, 0, -3.5f);
  steps(15, 0, -3.25f); // another score, to the bit
  steps(15, 1, -3.25f); // another token
  canary.reset();
  steps(15, 1, -3.25f);
  CHECK_THROWS_WITH_AS(
      steps(1, 1, -3.25f),
      doctest::Contains("m.gguf: the device gave token 1 with score -3.25 16 times in a row"), Error);
}

TEST_CASE("canary: what is not finite is an error of its own code") {
  check_finite("m.gguf", "a vector with ", std::vector<float>{0, -1, 3e38f});
  for (const float wrong : {INFINITY, -INFINITY, NAN}) try {
      check_finite("m.gguf", "a vector with ", std::vector<float>{0, wrong, 1});
      FAIL("nothing was thrown");
    } catch (const Error &e) {
      CHECK(e.code() == ErrorCode::WrongResult);
      CHECK(std::string(e.what()).find("m.gguf: the device gave a vector with ") == 0);
    }
}
