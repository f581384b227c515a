// main() of the tests that run on the test layer: a report that no test provoked fails the run.
#define DOCTEST_CONFIG_IMPLEMENT
#include "layers/support.h"

#include <cstdio>
#include <cstdlib>
#include <dlfcn.h>

namespace fovea::test {

const layer::Interface &test_layer() {
  static const layer::Interface *const found = [] {
    void *module = ::dlopen(FOVEA_TEST_LAYER, RTLD_NOW | RTLD_LOCAL);
    void *entry = module ? ::dlsym(module, layer::kEntryPoint) : nullptr;
    if (!entry) throw std::runtime_error(::dlerror());
    return reinterpret_cast<const layer::Interface *(*)()>(entry)();
  }();
  return *found;
}

uint64_t &provoked_reports() {
  static uint64_t count = 0;
  return count;
}

} // namespace fovea::test

int main(int argc, char **argv) {
  // Before anything opens the loader. Khronos validation has runs of its own, without faults.
  ::setenv("VK_LAYER_PATH", FOVEA_TEST_LAYER_FOLDER, 1);
  ::setenv("VK_INSTANCE_LAYERS", "VK_LAYER_FOVEA_test", 1);
  ::setenv("NODEVICE_SELECT", "1", 1); // Mesa's own layer, which does not look at what calls give
  ::setenv("FOVEA_VALIDATION", "0", 1);
  const int result = doctest::Context(argc, argv).run();
  const uint64_t n = fovea::test::test_layer().n_reports() - fovea::test::provoked_reports();
  if (n != 0) std::fprintf(stderr, "%llu reports of the test layer\n", static_cast<unsigned long long>(n));
  return result != 0 ? result : n != 0;
}
