// Transcribes a recording from C++: transcribe MODEL AUDIO
#include <fovea/audio.hpp>
#include <fovea/transcribe.hpp>

#include <cstdio>

int main(int argc, char **argv) try {
  if (argc != 3) {
    std::fprintf(stderr, "usage: %s MODEL AUDIO\n", argv[0]);
    return 2;
  }
  const auto device = fovea::Device::open().value();
  const auto model = fovea::Model::open(argv[1]).value();
  auto transcriber = fovea::Transcriber::create(device, model).value();
  auto audio = fovea::AudioReader::open(argv[2], transcriber.sample_rate_hz()).value();

  fovea::TranscribeCallbacks callbacks;
  callbacks.segment = [](const fovea_segment &segment) {
    std::printf("%7.2f %7.2f %s\n", segment.start_s, segment.end_s, segment.text);
    return true; // go on
  };
  const auto transcript = transcriber.transcribe(audio.source(), {}, callbacks).value();
  std::printf("%s, %zu segments\n", transcript.language(), transcript.n_segments());
  return 0;
} catch (const fovea::Error &e) {
  std::fprintf(stderr, "error: %s\n", e.what());
  return 1;
}
