// Image files of every format, from memory: decoded to RGB.
#include "image/image.h"
#include "fuzz/harness.h"
#include "fuzz/picture_edit.h"

using namespace fovea;
using namespace fovea::fuzz;

namespace {
constexpr uint64_t kMaxPixels = 1 << 18; // 40 bytes each while decoding: 10 MiB
}

FOVEA_FUZZ_MUTATORS(edit_picture, join_pictures)

extern "C" int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  const auto bytes = input_bytes(data, size);
  return run_input(bytes, [&] {
    const Image image = decode_image(bytes, "m.png", kMaxPixels);
    if (image.rgb.size() != uint64_t(image.width) * image.height * 3) finding("pixels and size differ");
  });
}
