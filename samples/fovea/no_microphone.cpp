// In place of microphone.cpp where PortAudio is not there.
#include "console.h"
#include "microphone.h"

namespace tool {
namespace {

[[noreturn]] void no_microphone() {
  fail(FOVEA_UNSUPPORTED, {"this fovea was built without PortAudio and knows no microphone: install it "
                           "(Debian: portaudio19-dev) and build again"});
}

} // namespace

struct Microphone::State {};
Microphone::Microphone(const std::string &, uint32_t, SampleQueue &) { no_microphone(); }
Microphone::~Microphone() = default;
std::string Microphone::list() { no_microphone(); }

} // namespace tool
