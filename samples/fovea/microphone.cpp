#include "microphone.h"
#include "console.h"

#include <portaudio.h>

#include <charconv>
#include <fcntl.h>
#include <unistd.h>

namespace tool {
namespace {

/// ALSA and JACK tell stderr of everything that they looked for and did not find.
class QuietStderr {
public:
  QuietStderr() : kept_(dup(STDERR_FILENO)) {
    const int null = open("/dev/null", O_WRONLY | O_CLOEXEC);
    if (null >= 0 && kept_ >= 0) dup2(null, STDERR_FILENO);
    if (null >= 0) close(null);
  }
  ~QuietStderr() {
    if (kept_ < 0) return;
    dup2(kept_, STDERR_FILENO);
    close(kept_);
  }
  QuietStderr(const QuietStderr &) = delete;
  QuietStderr &operator=(const QuietStderr &) = delete;

private:
  int kept_;
};

void check(PaError error, std::string_view what) {
  if (error >= 0) return;
  if (error == paUnanticipatedHostError)
    fail(FOVEA_IO, {what, ": ", Pa_GetErrorText(error), ": ", Pa_GetLastHostErrorInfo()->errorText});
  fail(FOVEA_IO, {what, ": ", Pa_GetErrorText(error)});
}

class PortAudio {
public:
  PortAudio() {
    const QuietStderr quiet;
    check(Pa_Initialize(), "PortAudio");
  }
  ~PortAudio() { Pa_Terminate(); }
  PortAudio(const PortAudio &) = delete;
  PortAudio &operator=(const PortAudio &) = delete;
};

std::string lines() {
  std::string out;
  for (PaDeviceIndex i = 0; i < Pa_GetDeviceCount(); ++i) {
    const PaDeviceInfo &info = *Pa_GetDeviceInfo(i);
    if (info.maxInputChannels < 1) continue;
    out += format("%c %d  %s (%d %s, %.0f Hz)\n", i == Pa_GetDefaultInputDevice() ? '*' : ' ', i, info.name,
                  info.maxInputChannels, info.maxInputChannels == 1 ? "channel" : "channels",
                  info.defaultSampleRate);
  }
  return out;
}

/// In one line.
std::string names() {
  std::string out;
  for (PaDeviceIndex i = 0; i < Pa_GetDeviceCount(); ++i)
    if (const PaDeviceInfo &info = *Pa_GetDeviceInfo(i); info.maxInputChannels > 0)
      out += (out.empty() ? "" : ", ") + std::to_string(i) + " '" + info.name + "'";
  return out.empty() ? "there is none" : "there are " + out;
}

PaDeviceIndex find(const std::string &name) {
  if (name.empty()) {
    const PaDeviceIndex index = Pa_GetDefaultInputDevice();
    if (index == paNoDevice) fail(FOVEA_NO_DEVICE, {"no default microphone: ", names()});
    return index;
  }
  PaDeviceIndex number = -1;
  const auto [rest, error] = std::from_chars(name.data(), name.data() + name.size(), number);
  const bool is_number = error == std::errc() && rest == name.data() + name.size();
  for (PaDeviceIndex i = 0; i < Pa_GetDeviceCount(); ++i) {
    const PaDeviceInfo &info = *Pa_GetDeviceInfo(i);
    if (info.maxInputChannels < 1) continue;
    if (is_number ? i == number : std::string_view(info.name).find(name) != std::string_view::npos) return i;
  }
  fail(FOVEA_NO_DEVICE, {"no microphone is called '", name, "': ", names()});
}

int on_samples(const void *input, void *, unsigned long n_frames, const PaStreamCallbackTimeInfo *,
               PaStreamCallbackFlags, void *user) {
  if (input) static_cast<SampleQueue *>(user)->push({static_cast<const float *>(input), n_frames});
  return paContinue;
}

/// The device went away, or was stopped.
void on_end(void *user) { static_cast<SampleQueue *>(user)->close(); }

} // namespace

struct Microphone::State {
  PortAudio port_audio;
  PaStream *stream = nullptr;
  ~State() {
    if (!stream) return;
    Pa_StopStream(stream);
    Pa_CloseStream(stream);
  }
};

Microphone::Microphone(const std::string &name, uint32_t rate_hz, SampleQueue &queue)
    : state_(std::make_unique<State>()) {
  const PaDeviceIndex index = find(name);
  const PaDeviceInfo &info = *Pa_GetDeviceInfo(index);
  name_ = info.name;
  const PaStreamParameters input{index, 1, paFloat32, info.defaultHighInputLatency, nullptr};
  const QuietStderr quiet;
  const PaError opened = Pa_OpenStream(&state_->stream, &input, nullptr, rate_hz,
                                       paFramesPerBufferUnspecified, paNoFlag, on_samples, &queue);
  if (opened == paInvalidSampleRate)
    fail(FOVEA_UNSUPPORTED, {name_,
                             format(": does not record at %u Hz, which this model hears; choose one that "
                                    "converts (default, pulse, pipewire): ",
                                    rate_hz),
                             names()});
  check(opened, name_);
  check(Pa_SetStreamFinishedCallback(state_->stream, on_end), name_);
  check(Pa_StartStream(state_->stream), name_);
}

Microphone::~Microphone() {
  const QuietStderr quiet;
  state_.reset();
}

std::string Microphone::list() {
  const PortAudio port_audio;
  const std::string all = lines();
  if (all.empty()) fail(FOVEA_NO_DEVICE, {"no microphone: PortAudio finds no device that records"});
  return all;
}

} // namespace tool
