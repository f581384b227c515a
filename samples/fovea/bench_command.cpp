#include "model_arguments.h"
#include "profile_table.h"

#include <fovea/audio.hpp>

#include <cmath>
#include <nlohmann/json.hpp>
#include <sys/resource.h>

namespace tool {
namespace {

using Json = nlohmann::ordered_json;

struct Arguments : ModelArguments {
  std::string audio;
  uint32_t n_runs = 5;
  bool as_json = false, profile = false;
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

uint64_t peak_memory_bytes() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  return uint64_t(usage.ru_maxrss) * 1024;
}

std::string to_text(const Json &report) {
  std::string text = format("device            %s (%s)\n", report["device"].get<std::string>().c_str(),
                            report["driver"].get<std::string>().c_str());
  text += format("load              %9.1f ms%s\n", report["load_s"].get<double>() * 1e3,
                 report["weights_imported"].get<bool>() ? "   weights used in place" : "");
  text += format("first result      %9.1f ms\n", report["first_result_s"].get<double>() * 1e3);
  text += format("%-16s %12s %10s %10s %10s %11s\n", "stage", "median (ms)", "best (ms)", "GFLOP/s", "GB/s",
                 "dispatches");
  for (const Json &stage : report["stages"])
    text += format("%-16s %12.3f %10.3f %10.2f %10.2f %11llu\n", stage["name"].get<std::string>().c_str(),
                   stage["median_s"].get<double>() * 1e3, stage["best_s"].get<double>() * 1e3,
                   stage["gflop_per_s"].get<double>(), stage["gb_per_s"].get<double>(),
                   (unsigned long long)stage["dispatches"].get<uint64_t>());
  const Json &memory = report["memory"];
  const auto size = [&](const char *name) { return bytes_text(memory[name].get<double>()); };
  const std::string weights =
      report["weights_imported"].get<bool>() ? "in place, in the file" : size("weights_bytes");
  text += "device memory     weights " + weights + ", state " + size("state_bytes") + ", scratch " +
          size("scratch_bytes") + ", input and output " + size("io_bytes") + "\n";
  return text + "process peak      " + bytes_text(report["peak_process_bytes"].get<double>()) + "\n";
}

int bench(const Arguments &a) {
  const auto device = open_device(a.device);
  fovea::BenchOptions options;
  options.runs = a.n_runs;
  options.verify = !a.no_verify;
  options.cancel = interrupt().get();
  std::pair<ProgressBar, double> shown{"measuring", 0};
  options.user = &shown;
  options.on_stage = [](void *user, const char *stage) {
    auto &[bar, n] = *static_cast<decltype(shown) *>(user);
    bar.show(n += 1, 8, stage);
  };
  Json report = Json::parse(fovea::bench(device, a.model, options).value());
  shown.first.clear();
  report["peak_process_bytes"] = peak_memory_bytes();
  const std::string rows = a.profile ? profile(a, device) : "[]";
  if (a.profile) report["profile"] = Json::parse(rows);
  if (a.as_json)
    print(report.dump(2, ' ', false, Json::error_handler_t::replace) + "\n");
  else
    print(to_text(report) + (a.profile ? "\n" + profile_table(rows) : ""));
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
  command->add_flag("--json", a->as_json, "As JSON");
  command->add_flag("--profile", a->profile,
                    "Then transcribe with a timer around every dispatch, and sum by operation and kernel");
  command->add_option("--audio", a->audio, "Recording for --profile (default: a test sound)")
      ->option_text("FILE");
  add_device(*command, *a);
  command->footer(R"(
GB/s counts each weight once a run. Peak memory is of this process; on a software driver it holds the
device's too.
Example:
  fovea bench tiny.en.fovea.gguf --json)");
  command->callback([&exit_code, a] { exit_code = bench(*a); });
}

} // namespace tool
