// Graphs run one by one by their tensors' names, and the benchmark of a model, on a tiny random one.
#include "support.h"

#include "tasks/bench.h"

#include <doctest/doctest.h>
#include <numeric>

using namespace fovea;
using namespace fovea::test;

TEST_CASE("run: a graph by name, outputs in place of the graph that gives them, clear errors") {
  const Tiny tiny;
  SessionOptions options;
  options.bindings["B"] = 1;
  Session session(test_device(), tiny.model, tiny.weights, options);
  RunRequest request;
  request.inputs["samples"] = HostTensor({{1, 3000}, Encoding::F32});
  request.inputs["samples"].f = sound(3000.0 / 16000);
  request.inputs["decoder_tokens"] = HostTensor({{1, 4}, Encoding::I32});
  request.inputs["decoder_tokens"].i = {41, 46, 3, 4};
  const NamedTensors all = run_model(session, request);
  CHECK(all.size() == 3);
  CHECK(all.at("logits").type.shape == Shape{1, 4, kTinyVocabulary});

  RunRequest later;
  later.inputs["features"] = all.at("features");
  later.inputs["decoder_tokens"] = request.inputs["decoder_tokens"];
  const NamedTensors again = run_model(session, later);
  CHECK(again.size() == 2);
  CHECK(again.at("logits").f == all.at("logits").f);

  RunRequest curious = request;
  curious.offers = {"cross_attention.*"};
  const NamedTensors more = run_model(session, curious);
  CHECK(more.size() == 3 + 2); // the model has two decoder layers
  CHECK(more.at("logits").f == all.at("logits").f);
  const HostTensor &weights = more.at("cross_attention.1");
  const uint64_t n_keys = weights.type.shape.row();
  for (size_t begin = 0; begin < weights.f.size(); begin += n_keys)
    CHECK(std::accumulate(weights.f.begin() + long(begin), weights.f.begin() + long(begin + n_keys), 0.0) ==
          doctest::Approx(1));

  RunRequest one;
  one.graph = "encode";
  one.inputs["features"] = all.at("features");
  CHECK(run_model(session, one).at("encoder").f == all.at("encoder").f);
  CHECK(inputs_of(*tiny.model) == std::vector<std::string>{"samples f32 [N]", "decoder_tokens i32 [B, T]"});

  const auto error = [&](const RunRequest &r, const char *part) {
    CHECK_THROWS_WITH_AS(run_model(session, r), doctest::Contains(part), Error);
  };
  RunRequest bad = request;
  bad.inputs.erase("decoder_tokens");
  error(
      bad,
      "needs decoder_tokens i32 [B, T], which is not given; the model takes samples f32 [N], decoder_tokens");
  bad = request;
  bad.inputs["pixels"] = bad.inputs["samples"];
  error(bad, "no input is called 'pixels'");
  bad = request;
  bad.offers = {"attention.9"};
  error(bad, "nothing called 'attention.9' is offered; on request the model gives encoder_attention.0");
  bad = request;
  bad.steps["when"] = 3;
  error(bad, "no step is called 'when'");
  bad = request;
  bad.steps["pos"] = kTinyContext - 3; // four tokens do not fit behind it
  error(bad, "past the end");
  bad = request;
  bad.inputs["decoder_tokens"] = HostTensor({{1, 4}, Encoding::F32});
  error(bad, "takes integers");
  bad = request;
  bad.inputs["samples"] = HostTensor({{2, 3000}, Encoding::F32});
  error(bad, "samples");
  for (const int32_t id : {-5, int32_t(kTinyVocabulary), 99'999'999}) {
    bad = request;
    bad.inputs["decoder_tokens"].i[2] = id;
    error(bad, concat("input 'decoder_tokens' has ", id, ", expected 0 to ", kTinyVocabulary - 1).c_str());
  }
  bad = request;
  bad.graph = "nonsense";
  error(bad, "nonsense");
  bad = request;
  bad.inputs["decoder_tokens"] = HostTensor({{1, kTinyContext + 1}, Encoding::I32});
  error(bad, "");
  bad = request;
  bad.inputs["decoder_tokens"] = HostTensor({{3, 2}, Encoding::I32});
  CHECK(session_sizes(*tiny.model, bad) == Bindings{{"B", 3}});
  CHECK(session_sizes(*tiny.model, request) == Bindings{{"B", 1}});
}

TEST_CASE("bench: every stage, checked and with its figures") {
  const Tiny tiny;
  BenchOptions options;
  options.n_runs = 2;
  options.caches = {0, 5, 4000};
  const BenchReport report = bench(test_device(), tiny.model->path(), options);
  std::vector<std::string> names;
  for (const BenchStage &s : report.stages) {
    names.push_back(s.name);
    CHECK(s.median_s > 0);
    CHECK(s.best_s <= s.median_s);
    CHECK(s.n_dispatches > 0);
    CHECK(s.flops > 0);
    CHECK(s.weight_bytes > 0);
    CHECK(s.weight_bytes < tiny.model->file().bytes().size());
  }
  CHECK(names == std::vector<std::string>{"features", "encode", "prompt of 48", "step at 0", "step at 5"});
  const SpeechSpec spec = SpeechSpec::read(tiny.model->file());
  const double window_s = double(spec.window_samples) / spec.sample_rate_hz;
  options.seconds = {window_s, window_s + 0.1, 3 * window_s};
  options.prompts = {3, 7};
  options.caches = {2};
  const std::vector<BenchStage> given = bench(test_device(), tiny.model->path(), options).stages;
  REQUIRE(given.size() == 8);
  CHECK(given[2].flops > given[0].flops + given[1].flops); // the peak, too
  CHECK(given[3].flops == 2 * given[2].flops);
  CHECK(given[4].flops == 3 * given[2].flops);
  CHECK(given[4].n_dispatches == 3 * given[2].n_dispatches);
  CHECK(given[5].name == "prompt of 3");
  CHECK(given[6].name == "prompt of 7");
  CHECK(given[7].name == "step at 2");
  CHECK(report.first_result_s >= report.load_s);
  CHECK(report.memory.state_bytes > 0);
}
