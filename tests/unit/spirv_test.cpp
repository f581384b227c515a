// Every kernel's SPIR-V against the Khronos validator (package spirv-tools), for the Vulkan version we ask
// for.
#include "kernels/catalogue.h"
#include "support/temp_folder.h"

#include <cstdlib>
#include <doctest/doctest.h>
#include <fstream>

using namespace fovea;
using namespace fovea::test;

TEST_CASE("spirv-val accepts every kernel") {
  REQUIRE_MESSAGE(std::system("spirv-val --version >/dev/null 2>&1") == 0,
                  "spirv-val is missing: apt install spirv-tools");
  const TempFolder folder;
  const std::string module = folder / "kernel.spv", report = folder / "report";
  for (uint32_t i = 0; i < kKernelCount; ++i) {
    const std::vector<uint32_t> words = spirv(KernelId(i));
    std::ofstream(module, std::ios::binary)
        .write(reinterpret_cast<const char *>(words.data()), std::streamsize(words.size() * 4));
    const int status =
        std::system(("spirv-val --target-env vulkan1.1 '" + module + "' >'" + report + "' 2>&1").c_str());
    CHECK_MESSAGE(status == 0, to_string(KernelId(i)), ": ", read_file(report));
  }
}
