#include "bench_table.h"
#include "model_arguments.h"
#include "process_memory.h"
#include "profile_table.h"

#include <fovea/audio.hpp>

#include <cmath>
#include <nlohmann/json.hpp>

namespace tool {
namespace {

using Json = nlohmann::ordered_json;

struct Arguments : ModelArguments {
  std::string audio;
  uint32_t n_runs = 5;
  bool as_json = false, profile = false, kernels = false, variants = false, memory = false;
  std::vector<uint32_t> prompts, caches;
  std::vector<double> seconds;
};

/// Ten seconds of three gliding tones: loud enough to be decoded, the same everywhere.
std::vector<float> test_sound(uint32_t rate_hz) {
  std::vector<float> samples(rate_hz * 10);
  for (size_t i = 0; i < samples.size(); ++i) {
    const double t = double(i) / rate_hz, glide = 1 + 0.3 * std::sin(2.1 * t);
    samples[i] = float(0.1 * (std::sin(1200 * t * glide) + std::sin(3100 * t * glide) + std::sin(7400 * t)) *
                       (0.5 + 0.5 * std::sin(25 * t)));
  }
  return samples;
}

/// Where the device's time goes in a transcription, as JSON.
std::string profile(const Arguments &a, const fovea::Device &device) {
  const auto model = open_model(a.model, !a.no_verify);
  fovea::TranscriberOptions made;
  made.profile = 1;
  auto transcriber = fovea::Transcriber::create(device, model, made).value();
  fovea::TranscribeOptions options;
  options.fallback = 0;
  options.no_speech_threshold = std::numeric_limits<float>::quiet_NaN();
  options.cancel = interrupt().get();
  if (a.audio.empty()) {
    const std::vector<float> samples = test_sound(transcriber.sample_rate_hz());
    transcriber.transcribe(samples.data(), samples.size(), options).value();
  } else {
    auto reader = fovea::AudioReader::open(a.audio, transcriber.sample_rate_hz()).value();
    transcriber.transcribe(reader.source(), options).value();
  }
  return transcriber.profile().value();
}

/// What a model takes on a device that has its kernels: once more from its opening, when the driver has
/// compiled them and everything else of the first time is released.
Json memory(const Arguments &a, const fovea::Device &device, fovea::BenchOptions options,
            const Json &report) {
  if (!reset_peak_memory() || resident_memory_bytes() == 0)
    fail(FOVEA_UNSUPPORTED, {"--memory: this system does not count it (/proc/self/clear_refs)"});
  const uint64_t before = resident_memory_bytes();
  options.runs = 1;
  options.kernels = options.variants = 0;
  fovea::bench(device, a.model, options).value();
  const Json &parts = report["memory"];
  uint64_t planned = report["file_bytes"].get<uint64_t>();
  for (const char *part : {"state_bytes", "scratch_bytes", "io_bytes"})
    planned += parts[part].get<uint64_t>();
  if (!report["weights_imported"].get<bool>()) planned += parts["weights_bytes"].get<uint64_t>();
  const uint64_t peak = peak_memory_bytes();
  Json out = parts;
  out["planned_bytes"] = planned;
  out["process_before_bytes"] = before;
  out["process_added_bytes"] = peak - std::min(peak, before);
  return out;
}

void check_profile(const Arguments &a) {
  if (!a.profile) {
    if (!a.audio.empty()) throw UsageError("--audio is for --profile");
    return;
  }
  if (open_model(a.model, false).task() != std::string_view("transcribe"))
    fail(FOVEA_UNSUPPORTED,
         {a.model, ": --profile transcribes, which this model does not; `fovea run --profile` "
                   "times one pass through the graphs of any model"});
}

int bench(const Arguments &a) {
  check_profile(a);
  const auto device = open_device(a.device);
  fovea::BenchOptions options;
  options.runs = a.n_runs;
  options.verify = !a.no_verify;
  options.kernels = a.kernels || a.variants;
  options.variants = a.variants;
  options.prompts = a.prompts.data();
  options.n_prompts = a.prompts.size();
  options.caches = a.caches.data();
  options.n_caches = a.caches.size();
  options.seconds = a.seconds.data();
  options.n_seconds = a.seconds.size();
  options.cancel = interrupt().get();
  std::pair<ProgressBar, double> shown{"measuring", 0};
  options.user = &shown;
  options.on_stage = [](void *user, const char *stage) {
    auto &[bar, n] = *static_cast<decltype(shown) *>(user);
    n += 1;
    bar.show(n, std::max(n + 1, 8.0), stage); // how many there will be is the model's to say
  };
  Json report = Json::parse(fovea::bench(device, a.model, options).value());
  report["peak_process_bytes"] = peak_memory_bytes();
  if (a.memory) report["memory"] = memory(a, device, options, report);
  shown.first.clear();
  const std::string rows = a.profile ? profile(a, device) : "[]";
  if (a.profile) report["profile"] = Json::parse(rows);
  const std::string text = report.dump(2, ' ', false, Json::error_handler_t::replace);
  if (a.as_json)
    print(text + "\n");
  else
    print(bench_table(text) + (a.profile ? "\n" + profile_table(rows) : ""));
  return kOk;
}

} // namespace

void add_bench(CLI::App &app, int &exit_code) {
  CLI::App *command =
      app.add_subcommand("bench", "Time a model's stages on this device, once its outputs are right");
  const auto a = std::make_shared<Arguments>();
  add_model(*command, *a, "A model")->type_name(kSpeechModel);
  command->add_option("--runs", a->n_runs, "Runs of each stage, after one to warm up (default: 5)")
      ->check(CLI::Range(1, 10000))
      ->option_text("N");
  const auto sizes = [&](const char *name, auto &to, const char *what) {
    return command->add_option(name, to, what)->delimiter(',')->allow_extra_args(false)->option_text("N,...");
  };
  sizes("--prompt", a->prompts, "Tokens of prompts, sources or texts to time (default: by task)")
      ->check(CLI::Range(1, 1 << 24));
  sizes("--cache", a->caches, "Tokens before a next one to time (default: by task)")
      ->check(CLI::Range(0, 1 << 24));
  sizes("--seconds", a->seconds, "Speech: recordings to time, up to their first word")
      ->check(CLI::Range(0.001, 86400.0))
      ->option_text("S,...");
  command->add_flag("--json", a->as_json, "As JSON");
  command->add_flag(
      "--kernels", a->kernels,
      "Every kernel of the stages by itself, too: time, GFLOP/s, GB/s and % of what the device can do");
  command->add_flag("--variants", a->variants,
                    "With --kernels: the other kernels that could do the same, too");
  command->add_flag(
      "--memory", a->memory,
      "Then once more, for what the model adds to a process that has the device and its kernels");
  command->add_flag(
      "--profile", a->profile,
      "Speech: then transcribe with a timer around every dispatch, and sum by operation and kernel");
  command->add_option("--audio", a->audio, "Recording for --profile (default: a test sound)")
      ->option_text("FILE");
  add_device(*command, *a);
  command->footer(R"(
Stages are what the model's tasks run: a window of sound, a prompt, the next token, a text, a picture. GB/s
counts each weight once a run. Peak memory is of this process; on a software driver it holds the device's too.
--kernels launches each kernel of the stages again and again on real weights and activations, once its outputs
are right. Its bound is the least time for its bytes (each counted once) and for its arithmetic, by bandwidth and
rate that two small kernels measure on this device in the same run; % is that bound by the time it takes. On a
software driver times are CPU time of the process divided by the number of cores.
Example:
  fovea bench tiny.en.fovea.gguf --json
  fovea bench llama.fovea.gguf --runs 20 --memory
  fovea bench llama.fovea.gguf --prompt 1,16,256 --cache 0,1000
  fovea bench llama.fovea.gguf --kernels --variants
  fovea bench speech-en --profile --audio talk.wav)");
  command->callback([&exit_code, a] { exit_code = bench(*a); });
}

} // namespace tool
