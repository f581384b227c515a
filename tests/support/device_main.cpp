// main() of tests that use a Vulkan device: with FOVEA_VALIDATION=1 any validation message fails the run.
#define DOCTEST_CONFIG_IMPLEMENT
#include "support/validation.h"
#include "vk/instance.h"

#include <cstdio>
#include <doctest/doctest.h>

int main(int argc, char **argv) {
  const int result = doctest::Context(argc, argv).run();
  const uint64_t n_errors = fovea::vk::validation_error_count() - fovea::test::provoked_validation_errors();
  if (n_errors != 0)
    std::fprintf(stderr, "%llu validation errors\n", static_cast<unsigned long long>(n_errors));
  return result != 0 ? result : n_errors != 0;
}
