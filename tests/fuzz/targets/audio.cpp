// Sound files of every format, from memory: read whole, and resampled.
#include "audio/audio.h"
#include "fuzz/harness.h"
#include "fuzz/plan_graph.h"
#include "fuzz/sound_edit.h"

using namespace fovea;
using namespace fovea::fuzz;

namespace {
constexpr size_t kMaxSamples = 1 << 18; // of a run: what comes after is like it
}

// What libsndfile and the libraries below it leave behind of damaged files is theirs.
extern "C" const char *__lsan_default_suppressions() {
  return "leak:libsndfile.so\nleak:libvorbis\nleak:libogg.so\nleak:libFLAC.so\nleak:libopus.so\nleak:"
         "libmpg123.so\n";
}

FOVEA_FUZZ_MUTATORS(edit_sound, join_sounds)

extern "C" int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  const auto bytes = input_bytes(data, size);
  const uint32_t variant = variant_of({reinterpret_cast<const char *>(data), size});
  return run_input(bytes, [&] {
    AudioReader reader(bytes, "m.wav", variant % 8 ? kSpeechRateHz : 44100);
    (void)reader.claimed_duration_s();
    std::vector<float> samples(1 << 13);
    for (size_t n = samples.size(), sum = 0; n == samples.size() && sum < kMaxSamples; sum += n)
      n = reader.read(samples);
  });
}
