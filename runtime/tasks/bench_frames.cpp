// Transcription with words read off frames: all is one graph, timed on a short and a whole window.
#include "tasks/bench_strategy.h"
#include "tasks/ctc_spec.h"
#include "tasks/file_tasks.h"
#include "tasks/speech_spec.h"

#include <algorithm>

namespace fovea {
namespace {

constexpr uint32_t kShortWindow_s = 5; // what is said in a breath

bool accepts(const Model &model) {
  return has_task(model, kTranscribeTask) && model.file().find_string(kDecoderKey) == kCtcDecoder;
}

void run(BenchJob &job) {
  const CtcSpec spec = CtcSpec::read(job.model->file());
  check_ctc_graph(*job.model, spec);
  Session session(job.device, job.model, job.weights, job.session());
  job.loaded();
  StageTimer timer(session, job.options, job.report);
  const uint32_t shortest = std::min(kShortWindow_s * spec.sample_rate_hz, spec.window_samples);
  for (const uint32_t n_samples : {shortest, spec.window_samples}) {
    const std::vector<float> sound = bench_sound(spec.sample_rate_hz, n_samples);
    const double seconds = double(n_samples) / spec.sample_rate_hz;
    const BenchStage &stage =
        timer.time(concat("window of ", seconds, " s"), {seconds, "seconds"}, [&]() -> Program & {
          Program &p = session.program("window", {{"N", n_samples}});
          p.set_input("window", std::span<const float>(sound));
          return p;
        });
    if (n_samples == shortest) job.report.first_result_s = job.report.load_s + stage.first_s;
    if (shortest == spec.window_samples) break;
  }
  job.used(session.memory());
}

} // namespace

const BenchStrategy kBenchSpeechFrames{accepts, run};

} // namespace fovea
