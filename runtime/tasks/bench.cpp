#include "tasks/bench.h"

#include "tasks/file_tasks.h"
#include "tasks/sampling.h"
#include "tasks/speech_session.h"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstring>
#include <numbers>

namespace fovea {
namespace {

using Clock = std::chrono::steady_clock;
double seconds_since(Clock::time_point begin) {
  return std::chrono::duration<double>(Clock::now() - begin).count();
}

double median(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  const size_t n = values.size();
  return n == 0 ? 0 : n % 2 ? values[n / 2] : 0.5 * (values[n / 2 - 1] + values[n / 2]);
}

/// Sweeping tones under noise: something in every mel band, the same everywhere.
std::vector<float> test_sound(const SpeechSpec &spec) {
  std::vector<float> samples(spec.input_samples());
  Random random(1);
  double phase = 0;
  for (size_t i = 0; i < samples.size(); ++i) {
    const double t = double(i) / spec.sample_rate_hz;
    phase += 2 * std::numbers::pi * (200 + 3000 * std::abs(std::sin(0.7 * t))) / spec.sample_rate_hz;
    samples[i] =
        float(0.3 * std::sin(phase) * (0.5 + 0.5 * std::sin(5 * t)) + 0.02 * (random.uniform() - 0.5));
  }
  return samples;
}

uint64_t weight_bytes(const Plan &plan) {
  std::map<uint64_t, uint64_t> ranges; // begin -> end
  for (const Dispatch &d : plan.dispatches)
    for (const Binding &b : d.bindings)
      if (b.space == Space::Weights) ranges[b.offset] = std::max(ranges[b.offset], b.offset + b.bytes);
  uint64_t sum = 0, reached = 0;
  for (const auto &[begin, end] : ranges) {
    if (end > reached) sum += end - std::max(begin, reached);
    reached = std::max(reached, end);
  }
  return sum;
}

class Bench {
public:
  Bench(Session &session, const BenchOptions &options) : session_(session), options_(options) {
    control_.cancel = options.cancel;
  }

  /// Runs a program that `prepare` fills, and checks what it gives.
  BenchStage stage(const std::string &name, const std::string &graph, const Bindings &sizes,
                   const std::set<std::string> &outputs, const std::function<void(Program &)> &prepare) {
    if (options_.progress) options_.progress(name);
    BenchStage stage;
    stage.name = name;
    const auto begin = Clock::now();
    Program &program = session_.program(graph, sizes, outputs);
    prepare(program);
    session_.run(program, control_);
    stage.first_s = seconds_since(begin);
    const auto expected = check(program, stage.name);
    std::vector<double> seconds, gpu;
    for (uint32_t i = 0; i < options_.n_runs; ++i) {
      const auto run_begin = Clock::now();
      session_.run(program, control_);
      seconds.push_back(seconds_since(run_begin));
      double gpu_ns = 0;
      for (const DispatchProfile &row : program.profile()) gpu_ns += row.gpu_time_ns;
      gpu.push_back(gpu_ns * 1e-9);
      if (check(program, stage.name) != expected)
        fail(ErrorCode::Internal, "stage '", stage.name,
             "': two runs on the same input gave different results");
    }
    stage.median_s = median(seconds);
    stage.best_s = *std::min_element(seconds.begin(), seconds.end());
    stage.gpu_s = median(gpu);
    for (const Dispatch &d : program.plan().dispatches) stage.flops += d.flops;
    stage.weight_bytes = weight_bytes(program.plan());
    stage.n_dispatches = program.plan().dispatches.size();
    return stage;
  }

private:
  /// The outputs' bytes, all finite.
  std::vector<std::byte> check(const Program &program, const std::string &name) const {
    std::vector<std::byte> all;
    for (const PlanValue &out : program.plan().outputs) {
      const auto bytes = program.output(out.name);
      all.insert(all.end(), bytes.begin(), bytes.end());
      if (out.type.encoding != Encoding::F32) continue;
      for (const float v : program.output_as<float>(out.name))
        if (!std::isfinite(v))
          fail(ErrorCode::Internal, "stage '", name, "': output '", out.name, "' has ", v);
    }
    return all;
  }

  Session &session_;
  const BenchOptions &options_;
  RunControl control_;
};

/// What a user waits for before the first word.
void first_result(SpeechSession &speech, std::span<const float> sound) {
  const SpeechSpec &spec = speech.spec();
  speech.encode(speech.features(sound, speech.peak(sound)));
  const RulesRow any{0, 0, 0, 1};
  speech.step({&spec.start, 1}, {&any, 1}, 0, {.best = true});
  speech.best(0);
}

} // namespace

BenchReport bench(std::shared_ptr<vk::Device> device, const std::string &model_path,
                  const BenchOptions &options) {
  if (options.n_runs < 1 || options.n_runs > 10000)
    fail(ErrorCode::InvalidArgument, options.n_runs, " runs, expected 1 to 10000");
  BenchReport report;
  const auto begin = Clock::now();
  const auto model = Model::open(model_path, options.model);
  check_task_complete(model->file());
  if (!has_task(*model, kTranscribeTask))
    fail(ErrorCode::Unsupported, model->path(), ": not a speech model, which alone are timed (its task is '",
         model->file().find_string(kTaskKey).value_or(""), "', expected '", kTranscribeTask, "')");
  const SpeechSpec spec = SpeechSpec::read(model->file());
  check_speech_graphs(*model, spec, 1);
  const auto weights = DeviceWeights::load(device, model);
  SessionOptions session_options;
  session_options.timestamps = options.timestamps;
  SpeechSession speech(device, model, weights, spec, 1, session_options);
  report.load_s = seconds_since(begin);
  report.weights_imported = weights->imported();

  const std::vector<float> sound = test_sound(spec);
  speech.set_cancel(options.cancel);
  first_result(speech, sound);
  report.first_result_s = seconds_since(begin);

  Bench bench(speech.session(), options);
  const float peak = speech.peak(sound);
  const std::span<const float> window(sound);
  const auto add = [&](BenchStage stage) { report.stages.push_back(std::move(stage)); };
  add(bench.stage("features", "window", {}, {}, [&](Program &p) {
    p.set_input("window", window);
    p.set_input("peak", std::span<const float>(&peak, 1));
  }));
  const auto given = speech.features(sound, peak);
  const std::vector<float> features(given.begin(), given.end());
  add(bench.stage("encode", "encode", {}, {},
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
    add(bench.stage(name, "step", {{"T", n_tokens}}, {"best"}, [&](Program &p) {
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
  return report;
}

} // namespace fovea
