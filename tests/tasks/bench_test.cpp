// fovea bench: the stages of every task on the golden models, and what its output checks refuse.
#include "converter/convert.h"
#include "models/golden.h"
#include "support/error_text.h"
#include "support/temp_folder.h"
#include "tasks/bench_strategy.h"
#include "tasks/ctc_spec.h"

#include <doctest/doctest.h>
#include <filesystem>

using namespace fovea;
using namespace fovea::test;

namespace {

struct Expected {
  const char *name;                                        // of a golden case
  std::vector<std::pair<std::string, std::string>> stages; // name, unit
};

/// A golden case converted to f32; "" where there is none.
std::string golden_file(const TempFolder &folder, const std::string &name) {
  const std::string source = shared_path("golden/cases/" + name), path = folder / (name + ".gguf");
  if (source.empty()) return "";
  ConvertOptions options;
  options.encoding = Encoding::F32;
  convert(source, path, options);
  return path;
}

/// A graph `g` with an input x of three numbers, timed.
std::string timing_error(const std::string &graph, const HostTensors &weights, std::vector<float> x) {
  const auto model = Model::open(write_model({graph}, weights));
  Session session(test_device(), model, DeviceWeights::load(test_device(), model));
  const BenchOptions options;
  BenchReport report;
  StageTimer timer(session, options, report);
  return error_text([&] {
    timer.time("a stage", {}, [&]() -> Program & {
      Program &p = session.program("g");
      p.set_input("x", std::span<const float>(x));
      return p;
    });
  });
}

} // namespace

TEST_CASE("bench: the stages of every task, checked and with their figures") {
  const std::string tokens = "tokens", images = "images";
  const std::vector<Expected> all = {
      {"llama", {{"prefill 128", tokens}, {"decode at 8", tokens}}}, // a context of 128
      {"marian",
       {{"encode 16", tokens}, {"encode 64", tokens}, {"step at 8", tokens}, {"step at 48", tokens}}},
      {"bert", {{"text of 16", tokens}, {"text of 64", tokens}, {"8 texts of 32", tokens}}},
      {"bert_classifier", {{"text of 16", tokens}, {"text of 64", tokens}, {"8 texts of 32", tokens}}},
      {"clip",
       {{"text of 16", tokens},
        {"text of 32", tokens},
        {"8 texts of 32", tokens},
        {"preprocess 100 x 60", images},
        {"vision", images}}},
      {"vit", {{"preprocess 100 x 60", images}, {"forward", images}}},
      {"dinov2", {{"preprocess 100 x 60", images}, {"forward", images}}},
      {"mobilenet_v2", {{"preprocess 100 x 60", images}, {"forward", images}}},
      {"yolos", {{"preprocess 100 x 60", images}, {"forward", images}}},
      {"segformer", {{"preprocess 100 x 60", images}, {"forward", images}}},
      {"caption", {{"preprocess 100 x 60", images}, {"encode", images}, {"step at 8", tokens}}},
  };
  const TempFolder folder;
  BenchOptions options;
  options.n_runs = 2;
  options.picture_width = 100;
  options.picture_height = 60;
  for (const Expected &expected : all) {
    CAPTURE(expected.name);
    const std::string path = golden_file(folder, expected.name);
    if (path.empty()) return;
    const auto model = Model::open(path);
    const BenchReport report = bench(test_device(), path, options);
    std::vector<std::pair<std::string, std::string>> stages;
    for (const BenchStage &s : report.stages) {
      stages.emplace_back(s.name, s.work.unit);
      CAPTURE(s.name);
      CHECK(s.best_s > 0);
      CHECK(s.best_s <= s.median_s);
      CHECK(s.n_dispatches > 0);
      CHECK(s.flops > 0);
      CHECK(s.weight_bytes < model->file().bytes().size());
      CHECK(s.items_per_s() == s.work.n_items / s.median_s);
      CHECK((s.cpu_s > 0) == (test_device()->caps().type == DeviceType::Software));
    }
    CHECK(stages == expected.stages);
    CHECK(report.task == *model->file().find_string("fovea.task"));
    CHECK(report.load_s > 0);
    CHECK(report.first_result_s > report.load_s);
    CHECK(report.memory.scratch_bytes > 0);
  }
}

TEST_CASE("bench: prompts and positions end with the context; a stage runs as many tokens as it says") {
  const TempFolder folder;
  const std::string path = golden_file(folder, "gpt2"); // a context of 96
  if (path.empty()) return;
  BenchOptions options;
  options.n_runs = 1;
  options.prompts = {5, 200, 300};
  options.caches = {0, 95, 96};
  const BenchReport report = bench(test_device(), path, options);
  std::vector<std::pair<std::string, double>> stages;
  for (const BenchStage &s : report.stages) stages.emplace_back(s.name, s.work.n_items);
  CHECK(stages == std::vector<std::pair<std::string, double>>{
                      {"prefill 5", 5}, {"prefill 96", 96}, {"decode at 0", 1}, {"decode at 95", 1}});
  CHECK(report.stages[1].flops > 10 * report.stages[0].flops);
}

TEST_CASE("bench: recordings are heard in windows, and a stage counts the work of all") {
  BenchOptions options;
  options.n_runs = 1;
  const std::string path = FOVEA_SOURCE_DIR "/samples/models/speech-en.fovea.gguf"; // windows of 20 s
  const CtcSpec spec = CtcSpec::read(Model::open(path)->file());
  options.seconds = {2.5,
                     20 + 1.5 * double(spec.window_samples - 2 * spec.overlap_samples) / spec.sample_rate_hz};
  const BenchReport report = bench(test_device(), path, options);
  REQUIRE(report.stages.size() == 4);
  const BenchStage &window = report.stages[1], &breath = report.stages[2], &talk = report.stages[3];
  CHECK(window.name == "window of 20 s");
  CHECK(breath.name == "sound of 2.5 s");
  CHECK(breath.work.n_items == 2.5);
  CHECK(breath.n_dispatches == window.n_dispatches);
  CHECK(breath.flops < window.flops / 7);
  CHECK(talk.work.n_items == options.seconds[1]);
  CHECK(talk.n_dispatches == 3 * window.n_dispatches);
  CHECK(talk.flops > 2 * window.flops);
  CHECK(talk.flops < 3 * window.flops);
  CHECK(report.file_bytes == std::filesystem::file_size(path));
  for (const BenchStage &s : report.stages) {
    uint64_t flops = 0;
    for (const auto &[op, work] : s.ops) flops += work.flops;
    CHECK(flops == s.flops);
    CHECK(s.ops.count("attention") == 1);
  }
  options.seconds = {0};
  CHECK(error_text([&] { bench(test_device(), path, options); }).find("a recording of 0 s") == 0);
}

TEST_CASE("bench: a result that is no number, or another one each time, is an error and no time") {
  const HostTensors weights{{"w", random_tensor({{3, 1}, Encoding::F32}, 1)}};
  const std::string plain = "graph g\n  in x f32 [1, 3]\n  out y = unary(x) f=relu\n";
  CHECK(timing_error(plain, {}, {1, 2, 3}) == "no error");
  const std::string infinite = "graph g\n  in x f32 [1, 3]\n  out y = unary(x) f=exp\n";
  CHECK(timing_error(infinite, {}, {1, 1000, 3}).find("stage 'a stage': output 'y' has inf") == 0);
  // A state that goes on from run to run.
  const std::string recurrent =
      "graph g\n  in x f32 [1, 1, 3]\n  state s f32 [1, 1, 1]\n  out y = gru(x, w, _, s)\n";
  CHECK(
      timing_error(recurrent, weights, {1, 2, 3}).find("two runs on the same input gave different results") !=
      std::string::npos);
}

TEST_CASE("bench: a file without stages says what to do") {
  const TempFolder folder;
  const std::string path = golden_file(folder, "lstm_attention");
  if (path.empty()) return;
  CHECK(error_text([&] { bench(test_device(), path); }).find("`fovea run --profile`") != std::string::npos);
}
