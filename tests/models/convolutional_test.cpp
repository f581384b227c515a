// Convolutional networks against what the reference implementation computed (../shared/golden).
#include "models/golden.h"

#include <doctest/doctest.h>

using namespace fovea::test;

TEST_CASE("golden: resnet") { check_golden_case("resnet"); }
TEST_CASE("golden: mobilenet_v2") { check_golden_case("mobilenet_v2"); }
TEST_CASE("golden: segformer") { check_golden_case("segformer"); }
TEST_CASE("golden: detr") { check_golden_case("detr"); }
