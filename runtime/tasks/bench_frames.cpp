// Transcription with words read off frames: all is one graph, timed on a short and a whole window.
#include "tasks/bench_strategy.h"
#include "tasks/ctc_spec.h"
#include "tasks/file_tasks.h"
#include "tasks/speech_spec.h"

#include <algorithm>

namespace fovea {
namespace {

constexpr uint32_t kShortWindow_s = 5; // what is said in a breath

/// The windows that a recording is heard in (ctc_transcription.cpp).
std::vector<uint32_t> windows_of(uint64_t n_samples, const CtcSpec &spec) {
  std::vector<uint32_t> windows;
  const uint64_t step = spec.window_samples - 2 * spec.overlap_samples;
  for (uint64_t start = 0;; start += step) {
    windows.push_back(uint32_t(std::min<uint64_t>(n_samples - start, spec.window_samples)));
    if (n_samples <= start + spec.window_samples) return windows;
  }
}

bool accepts(const Model &model) {
  return has_task(model, kTranscribeTask) && model.file().find_string(kDecoderKey) == kCtcDecoder;
}

void run(BenchJob &job) {
  const CtcSpec spec = CtcSpec::read(job.model->file());
  check_ctc_graph(*job.model, spec);
  Session session(job.device, job.model, job.weights, job.session());
  job.loaded();
  StageTimer timer(session, job.options, job.report);
  const std::vector<float> sound = bench_sound(spec.sample_rate_hz, spec.window_samples);
  const auto time = [&](const char *what, uint64_t n_samples) {
    const std::vector<uint32_t> windows = windows_of(n_samples, spec);
    const double seconds = double(n_samples) / spec.sample_rate_hz;
    const BenchStage &stage =
        timer.time_parts(concat(what, " of ", seconds, " s"), {seconds, "seconds"}, uint32_t(windows.size()),
                         [&](uint32_t part) -> Program & {
                           Program &p = session.program("window", {{"N", windows[part]}});
                           p.set_input("window", std::span(sound).first(windows[part]));
                           return p;
                         });
    if (job.report.first_result_s == 0) job.report.first_result_s = job.report.load_s + stage.first_s;
  };
  const uint32_t shortest = std::min(kShortWindow_s * spec.sample_rate_hz, spec.window_samples);
  time("window", shortest);
  if (shortest < spec.window_samples) time("window", spec.window_samples);
  for (const double s : job.options.seconds)
    time("sound", std::max<uint64_t>(bench_samples(s, spec.sample_rate_hz), spec.context_samples));
  job.used(session.memory());
}

} // namespace

const BenchStrategy kBenchSpeechFrames{accepts, run};

} // namespace fovea
