// Transcription token by token: the stages of a window.
#include "tasks/bench_strategy.h"
#include "tasks/file_tasks.h"
#include "tasks/speech_session.h"

#include <algorithm>

namespace fovea {
namespace {

bool accepts(const Model &model) {
  return has_task(model, kTranscribeTask) && model.file().find_string(kDecoderKey) != kCtcDecoder;
}

/// What a user waits for before the first word.
void first_word(SpeechSession &speech, std::span<const float> sound) {
  const SpeechSpec &spec = speech.spec();
  speech.encode(speech.features(sound, speech.peak(sound)));
  const RulesRow any{0, 0, 0, 1};
  speech.step({&spec.start, 1}, {&any, 1}, 0, {.best = true});
  speech.best(0);
}

/// Recordings up to the first word, in windows: all of them for the peak, then each for features and encoder.
void time_recordings(StageTimer &timer, Session &session, const SpeechSpec &spec,
                     std::span<const float> sound, float peak, const std::vector<double> &seconds) {
  for (const double s : seconds) {
    const uint64_t n_samples = bench_samples(s, spec.sample_rate_hz);
    const auto n_windows = uint32_t((n_samples + spec.window_samples - 1) / spec.window_samples);
    timer.time_parts(concat("sound of ", s, " s"), {s, "seconds"}, 3 * n_windows,
                     [&](uint32_t part) -> Program & {
                       if (part >= n_windows && (part - n_windows) % 2 == 1) {
                         const auto given = session.program("window").output_as<float>("features");
                         const std::vector<float> features(given.begin(), given.end());
                         Program &p = session.program("encode");
                         p.set_input("features", std::span<const float>(features));
                         return p;
                       }
                       Program &p = session.program(part < n_windows ? "peak" : "window");
                       p.set_input("window", sound);
                       if (part >= n_windows) p.set_input("peak", std::span<const float>(&peak, 1));
                       return p;
                     });
  }
}

void run(BenchJob &job) {
  const BenchOptions &options = job.options;
  const SpeechSpec spec = SpeechSpec::read(job.model->file());
  check_speech_graphs(*job.model, spec, 1);
  SpeechSession speech(job.device, job.model, job.weights, spec, 1, job.session());
  job.loaded();

  speech.expect(); // all are there by the first word
  const std::vector<float> sound = bench_sound(spec.sample_rate_hz, spec.input_samples());
  speech.set_cancel(options.cancel);
  first_word(speech, sound);
  job.first_result();

  Session &session = speech.session();
  StageTimer timer(session, options, job.report);
  const StageWork window{double(spec.input_samples()) / spec.sample_rate_hz, "seconds"};
  const float peak = speech.peak(sound);
  timer.time("features", window, [&]() -> Program & {
    Program &p = session.program("window");
    p.set_input("window", std::span<const float>(sound));
    p.set_input("peak", std::span<const float>(&peak, 1));
    return p;
  });
  const auto given = speech.features(sound, peak);
  const std::vector<float> features(given.begin(), given.end());
  timer.time("encode", window, [&]() -> Program & {
    Program &p = session.program("encode");
    p.set_input("features", std::span<const float>(features));
    return p;
  });

  time_recordings(timer, session, spec, sound, peak, options.seconds);

  // Any text will do: the work does not depend on the ids.
  const auto n_text = uint32_t(std::min(spec.start, spec.end));
  const auto tokens = [&](uint32_t n) {
    std::vector<int32_t> ids(n, spec.start);
    for (uint32_t i = 1; i < n; ++i) ids[i] = n_text ? int32_t(i * 37 % n_text) : spec.start;
    return ids;
  };
  const RulesRow any{0, 0, 0, 0};
  const auto step = [&](const std::string &name, uint32_t n_tokens, uint32_t at) {
    timer.time(name, {double(n_tokens), "tokens"}, [&]() -> Program & {
      Program &p = session.program("step", {{"T", n_tokens}}, {"best"});
      const auto ids = tokens(n_tokens);
      p.set_input("decoder_tokens", std::span<const int32_t>(ids));
      p.set_input("rules", std::span<const RulesRow>(&any, 1));
      p.set_step("pos", at);
      return p;
    });
  };
  for (const uint32_t n : sizes_up_to(options.prompts, {64}, spec.n_context))
    step(concat("prompt of ", n), n, 0);
  for (const uint32_t at : sizes_below(options.caches, {8, 64, 200}, spec.n_context)) {
    speech.prompt(tokens(at + 1), 0); // fills the caches up to there
    step(concat("step at ", at), 1, at);
  }
  job.used(session.memory());
}

} // namespace

const BenchStrategy kBenchSpeechTokens{accepts, run};

} // namespace fovea
