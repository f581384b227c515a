// What is made of the outputs of detectors and segmenters.
#include "base/error.h"
#include "tasks/class_map.h"
#include "tasks/detection.h"

#include <cmath>
#include <doctest/doctest.h>
#include <limits>

using namespace fovea;

TEST_CASE("detection: softmax without the last class, boxes in pixels, best first") {
  const std::vector<float> logits = {2, 0, 0, /**/ 0, 0, 9, /**/ 0, 6, 1};
  const std::vector<float> boxes = {0.5f, 0.5f, 0.2f,       0.4f,  /**/ 0.1f, 0.1f,
                                    0.1f, 0.1f, /**/ 0.25f, 0.75f, 0.5f,      0.5f};
  const auto found = find_objects(logits, boxes, 3, 200, 100, 0.5f);
  REQUIRE(found.size() == 2);
  CHECK(found[0].label == 1);
  CHECK(found[0].score == doctest::Approx(std::exp(6.0) / (std::exp(6.0) + std::exp(1.0) + 1)));
  CHECK(found[0].left == doctest::Approx(0));
  CHECK(found[0].top == doctest::Approx(50));
  CHECK(found[0].right == doctest::Approx(100));
  CHECK(found[0].bottom == doctest::Approx(100));
  CHECK(found[1].label == 0);
  CHECK(found[1].left == doctest::Approx(80));
  CHECK(found[1].bottom == doctest::Approx(70));
  CHECK(find_objects(logits, boxes, 3, 200, 100, 0).size() == 3);
  CHECK(find_objects(logits, boxes, 3, 200, 100, 1).empty());
}

TEST_CASE("detection: numbers that are none are no objects; sizes must fit") {
  const float nan = std::numeric_limits<float>::quiet_NaN();
  CHECK(find_objects(std::vector<float>{nan, nan, nan}, std::vector<float>(4), 3, 9, 9, 0).empty());
  CHECK(find_objects(std::vector<float>{5, 0}, std::vector<float>{nan, 0, 0, 0}, 2, 9, 9, 0).empty());
  CHECK_THROWS_AS(find_objects(std::vector<float>(5), std::vector<float>(4), 3, 9, 9, 0), Error);
  CHECK_THROWS_AS(find_objects(std::vector<float>(6), std::vector<float>(4), 3, 9, 9, 0), Error);
  CHECK_THROWS_AS(find_objects(std::vector<float>(3), std::vector<float>(4), 3, 9, 9, 1.5f), Error);
  CHECK_THROWS_AS(find_objects(std::vector<float>(3), std::vector<float>(4), 3, 9, 9, nan), Error);
}

TEST_CASE("class map: linear between the logits' squares") {
  // Two classes that cross in the middle of two columns.
  const std::vector<float> logits = {1, 0, /**/ 0, 1};
  CHECK(class_map(logits, 2, 1, 2, 6, 2) == std::vector<uint16_t>{0, 0, 0, 1, 1, 1, 0, 0, 0, 1, 1, 1});
  CHECK(class_map(logits, 2, 1, 2, 1, 1) == std::vector<uint16_t>{0}); // alike: the first
  const std::vector<float> rows = {0, 3, 1, 1}; // class 0 falls behind above, wins below
  CHECK(class_map(rows, 2, 2, 1, 1, 4) == std::vector<uint16_t>{1, 1, 0, 0});
  CHECK(class_map(std::vector<float>{7}, 1, 1, 1, 3, 2) == std::vector<uint16_t>(6));
  CHECK_THROWS_AS(class_map(logits, 3, 1, 2, 6, 2), Error);
  CHECK_THROWS_AS(class_map(logits, 2, 1, 2, 0, 2), Error);
}
