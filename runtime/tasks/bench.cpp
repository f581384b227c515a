#include "tasks/bench.h"

#include "tasks/ctc_spec.h"
#include "tasks/file_tasks.h"
#include "tasks/speech_session.h"
#include "tasks/stage_timer.h"

#include <algorithm>

namespace fovea {
namespace {

using Clock = std::chrono::steady_clock;

constexpr uint32_t kShortWindow_s = 5; // what is said in a breath

struct Opened {
  Clock::time_point begin;
  std::shared_ptr<vk::Device> device;
  std::shared_ptr<const Model> model;
  std::shared_ptr<const DeviceWeights> weights;
  SessionOptions session;
};

/// What a user waits for before the first word.
void first_result(SpeechSession &speech, std::span<const float> sound) {
  const SpeechSpec &spec = speech.spec();
  speech.encode(speech.features(sound, speech.peak(sound)));
  const RulesRow any{0, 0, 0, 1};
  speech.step({&spec.start, 1}, {&any, 1}, 0, {.best = true});
  speech.best(0);
}

/// Of a model that writes token after token: the stages of a window.
void bench_tokens(const Opened &opened, const BenchOptions &options, BenchReport &report) {
  const SpeechSpec spec = SpeechSpec::read(opened.model->file());
  check_speech_graphs(*opened.model, spec, 1);
  SpeechSession speech(opened.device, opened.model, opened.weights, spec, 1, opened.session);
  report.load_s = seconds_since(opened.begin);

  const std::vector<float> sound = bench_sound(spec.sample_rate_hz, spec.input_samples());
  speech.set_cancel(options.cancel);
  first_result(speech, sound);
  report.first_result_s = seconds_since(opened.begin);

  StageTimer timer(speech.session(), options);
  const float peak = speech.peak(sound);
  const std::span<const float> window(sound);
  const auto add = [&](BenchStage stage) { report.stages.push_back(std::move(stage)); };
  add(timer.time("features", "window", {}, {}, [&](Program &p) {
    p.set_input("window", window);
    p.set_input("peak", std::span<const float>(&peak, 1));
  }));
  const auto given = speech.features(sound, peak);
  const std::vector<float> features(given.begin(), given.end());
  add(timer.time("encode", "encode", {}, {},
                 [&](Program &p) { p.set_input("features", std::span<const float>(features)); }));

  // Any text will do: the work does not depend on the ids.
  const auto n_text = uint32_t(std::min(spec.start, spec.end));
  const auto tokens = [&](uint32_t n) {
    std::vector<int32_t> ids(n, spec.start);
    for (uint32_t i = 1; i < n; ++i) ids[i] = n_text ? int32_t(i * 37 % n_text) : spec.start;
    return ids;
  };
  const RulesRow any{0, 0, 0, 0};
  const auto step = [&](const std::string &name, uint32_t n_tokens, uint32_t at) {
    const auto ids = tokens(n_tokens);
    add(timer.time(name, "step", {{"T", n_tokens}}, {"best"}, [&](Program &p) {
      p.set_input("decoder_tokens", std::span<const int32_t>(ids));
      p.set_input("rules", std::span<const RulesRow>(&any, 1));
      p.set_step("pos", at);
    }));
  };
  const uint32_t n_prompt = std::clamp(options.n_prompt, 1u, spec.n_context);
  step(concat("prompt of ", n_prompt), n_prompt, 0);
  for (const uint32_t at : options.positions) {
    if (at >= spec.n_context) continue;
    speech.prompt(tokens(at + 1), 0); // fills the caches up to there
    step(concat("step at ", at), 1, at);
  }
  report.memory = speech.session().memory();
}

/// Of a model whose words are read off frames: all is one graph, timed on a short and a whole window.
void bench_frames(const Opened &opened, const BenchOptions &options, BenchReport &report) {
  const CtcSpec spec = CtcSpec::read(opened.model->file());
  check_ctc_graph(*opened.model, spec);
  Session session(opened.device, opened.model, opened.weights, opened.session);
  report.load_s = seconds_since(opened.begin);
  StageTimer timer(session, options);
  const uint32_t shortest = std::min(kShortWindow_s * spec.sample_rate_hz, spec.window_samples);
  for (const uint32_t n_samples : {shortest, spec.window_samples}) {
    const std::vector<float> sound = bench_sound(spec.sample_rate_hz, n_samples);
    const std::string name = concat("window of ", double(n_samples) / spec.sample_rate_hz, " s");
    report.stages.push_back(timer.time(name, "window", {{"N", n_samples}}, {}, [&](Program &p) {
      p.set_input("window", std::span<const float>(sound));
    }));
    if (n_samples == shortest) report.first_result_s = report.load_s + report.stages.back().first_s;
    if (shortest == spec.window_samples) break;
  }
  report.memory = session.memory();
}

} // namespace

BenchReport bench(std::shared_ptr<vk::Device> device, const std::string &model_path,
                  const BenchOptions &options) {
  if (options.n_runs < 1 || options.n_runs > 10000)
    fail(ErrorCode::InvalidArgument, options.n_runs, " runs, expected 1 to 10000");
  Opened opened;
  opened.begin = Clock::now();
  opened.device = device;
  opened.model = Model::open(model_path, options.model);
  const ModelFile &file = opened.model->file();
  check_task_complete(file);
  if (!has_task(*opened.model, kTranscribeTask))
    fail(ErrorCode::Unsupported, model_path, ": not a speech model, which alone are timed (its task is '",
         file.find_string(kTaskKey).value_or(""), "', expected '", kTranscribeTask, "')");
  opened.weights = DeviceWeights::load(device, opened.model);
  opened.session.timestamps = options.timestamps;
  BenchReport report;
  report.weights_imported = opened.weights->imported();
  (file.find_string(kDecoderKey) == kCtcDecoder ? bench_frames : bench_tokens)(opened, options, report);
  return report;
}

} // namespace fovea
