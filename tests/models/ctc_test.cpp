// Speech models over samples with a CTC head, against the reference implementation.
#include "models/golden.h"

#include <doctest/doctest.h>

using namespace fovea;
using namespace fovea::test;

TEST_CASE("the golden wav2vec2") { check_golden_case("wav2vec2_ctc"); }
