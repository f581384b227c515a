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

void run(BenchJob &job) {
  const BenchOptions &options = job.options;
  const SpeechSpec spec = SpeechSpec::read(job.model->file());
  check_speech_graphs(*job.model, spec, 1);
  SpeechSession speech(job.device, job.model, job.weights, spec, 1, job.session());
  job.loaded();

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
  const uint32_t n_prompt = std::clamp(options.n_prompt, 1u, spec.n_context);
  step(concat("prompt of ", n_prompt), n_prompt, 0);
  for (const uint32_t at : options.positions) {
    if (at >= spec.n_context) continue;
    speech.prompt(tokens(at + 1), 0); // fills the caches up to there
    step(concat("step at ", at), 1, at);
  }
  job.used(session.memory());
}

} // namespace

const BenchStrategy kBenchSpeechTokens{accepts, run};

} // namespace fovea
