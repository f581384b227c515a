// whisper.cpp's .bin files, as convert() reads them.
#include "converter/sources/formats.h"
#include "fuzz/ggml_document.h"
#include "fuzz/harness.h"
#include "fuzz/plan_graph.h"
#include "fuzz/use_source.h"

using namespace fovea;
using namespace fovea::fuzz;

FOVEA_FUZZ_MUTATORS(edit_ggml, join_ggml)

extern "C" int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  const auto bytes = input_bytes(data, size);
  return run_input(bytes, [&] {
    const Source source = open_whisper_ggml(InputFile("m.bin", bytes));
    // Whisper's vocabulary makes a plan a hundred times slower than the rest.
    const uint32_t variant = variant_of({reinterpret_cast<const char *>(data), size});
    if (variant % 512 == 0)
      use_source(source, variant / 512);
    else
      read_tensors(source);
  });
}
