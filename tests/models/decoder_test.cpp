// Decoder-only language models against what the reference implementation computed (../shared/golden).
#include "models/golden.h"

#include <doctest/doctest.h>

using namespace fovea::test;

TEST_CASE("golden gpt2") { check_golden_case("gpt2"); }
TEST_CASE("golden llama") { check_golden_case("llama"); }
TEST_CASE("golden mistral") { check_golden_case("mistral"); }
TEST_CASE("golden qwen2") { check_golden_case("qwen2"); }
TEST_CASE("golden qwen3") { check_golden_case("qwen3"); }
TEST_CASE("golden gemma3") { check_golden_case("gemma3"); }
