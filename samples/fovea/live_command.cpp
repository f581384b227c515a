#include "live_command.h"

#include "latencies.h"
#include "live_writer.h"
#include "microphone.h"

#include <fovea/audio.hpp>

#include <thread>

namespace tool {
namespace {

using Clock = std::chrono::steady_clock;

/// A recording, fed as a microphone would.
class PacedRecording {
public:
  PacedRecording(const std::string &path, uint32_t rate_hz, SampleQueue &queue)
      : reader_(fovea::AudioReader::open(path, rate_hz).value()), rate_hz_(rate_hz), queue_(queue),
        thread_([this](std::stop_token stop) { feed(stop); }) {}

private:
  void feed(std::stop_token stop) try {
    const auto begin = Clock::now();
    std::vector<float> block(rate_hz_ / 20);
    uint64_t n_fed = 0;
    for (;;) {
      const size_t n = reader_.read(block.data(), block.size()).value();
      n_fed += n;
      // A block is there when its last sample was said.
      std::this_thread::sleep_until(begin + std::chrono::duration<double>(double(n_fed) / rate_hz_));
      if (stop.stop_requested()) return;
      queue_.push({block.data(), n});
      if (n < block.size()) return queue_.close();
    }
  } catch (...) {
    queue_.close(std::current_exception());
  }

  fovea::AudioReader reader_;
  uint32_t rate_hz_;
  SampleQueue &queue_;
  std::jthread thread_;
};

} // namespace

int transcribe_live(fovea::Transcriber &transcriber, const LiveArguments &a) {
  const uint32_t rate_hz = transcriber.sample_rate_hz();
  SampleQueue queue(rate_hz);
  const std::string name = a.microphone ? "microphone" : a.recording;
  LiveWriter writer(a.format, name, a.output);
  Latencies settled, first_text;
  Clock::time_point begin;
  bool shown = false; // text since the last settled
  const auto since = [&](double stream_s) {
    return std::chrono::duration<double>(Clock::now() - begin).count() - stream_s;
  };
  fovea::StreamCallbacks callbacks;
  callbacks.segment = [&](const fovea_segment &segment) {
    writer.settled(segment);
    if (!std::exchange(shown, false)) first_text.add(since(segment.start_s)); // without having been partial
    settled.add(since(segment.end_s));
    return true;
  };
  if (a.options.partial_s > 0)
    callbacks.partial = [&](const fovea_segment &segment) {
      writer.partial(segment);
      if (*segment.text && !std::exchange(shown, true)) first_text.add(since(segment.start_s));
      return true;
    };
  auto stream = fovea::Stream::create(transcriber, a.options, callbacks).value();

  std::optional<Microphone> microphone;
  std::optional<PacedRecording> recording;
  if (a.microphone)
    microphone.emplace(a.device, rate_hz, queue);
  else
    recording.emplace(a.recording, rate_hz, queue);
  begin = Clock::now();
  if (a.microphone && !a.quiet)
    std::fprintf(stderr, "listening to %s; Ctrl-C ends\n", microphone->name().c_str());

  bool told = false;
  std::vector<float> samples;
  const auto hear = [&] {
    if (queue.n_lost() > 0 && !std::exchange(told, true))
      std::fprintf(stderr, "fovea: warning: sound is lost: this device is too slow for this model\n");
    stream.push(samples.data(), samples.size()).value();
  };
  while (!interrupt().requested() && queue.pop(samples)) hear();
  microphone.reset();
  recording.reset();
  queue.close();
  while (queue.pop(samples)) hear(); // what came before Ctrl-C
  stream.finish().value();
  writer.finish();

  const fovea_stream_stats stats = stream.stats().value();
  if (!a.quiet) {
    std::fprintf(stderr, "%s: %.1f s of audio, %.1f s with speech, real-time factor %.2f\n", name.c_str(),
                 stats.audio_s, stats.speech_s, stats.audio_s > 0 ? stats.busy_s / stats.audio_s : 0.0);
    if (!settled.empty())
      std::fprintf(stderr, "latency: first text %s after speech begins, settled text %s after it ends\n",
                   first_text.text().c_str(), settled.text().c_str());
  }
  if (queue.n_lost() > 0)
    std::fprintf(stderr,
                 "fovea: warning: %.1f s of sound (%llu samples) were lost, silence stands for them\n",
                 double(queue.n_lost()) / rate_hz, static_cast<unsigned long long>(queue.n_lost()));
  if (a.microphone && !interrupt().requested()) fail(FOVEA_IO, {name, ": stopped recording"});
  return interrupt_exit_code();
}

} // namespace tool
