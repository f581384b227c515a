// Speech-to-text graphs against what the reference implementation computed (../shared/golden,
// ../shared/models).
#include "models/golden.h"

#include "audio/audio.h"
#include "support/share.h"

#include <algorithm>
#include <cmath>
#include <doctest/doctest.h>
#include <fstream>
#include <nlohmann/json.hpp>

using namespace fovea;
using namespace fovea::test;

TEST_CASE("encoder and logits of the golden model") {
  const std::string folder = shared_path("golden/cases/whisper");
  if (folder.empty()) return;
  const Source golden = open_safetensors(folder + "/golden.safetensors");
  // f32 must be the reference; the other bounds are what rounding the weights to 11, 8 and 4 bits does.
  for (const auto &[encoding, bound] :
       {std::pair{Encoding::F32, 1e-6}, {Encoding::F16, 1e-4}, {Encoding::Q8, 3e-3}, {Encoding::Q4, 0.1}}) {
    Session session = make_session(converted(folder, encoding, encoding == Encoding::Q4));
    RunRequest request;
    request.inputs["features"] = read_safetensor(golden, "input.features");
    request.inputs["decoder_tokens"] = read_safetensor(golden, "input.decoder_tokens");
    NamedTensors out = run_model(session, request);
    for (const char *name : {"encoder", "logits"}) {
      REQUIRE(out.count(name) == 1);
      const double error = nmse(out.at(name).f, read_safetensor(golden, concat("output.", name)).f);
      MESSAGE(concat(encoding, " ", name, ": NMSE ", error));
      CHECK(error <= bound);
    }
  }
}

TEST_CASE("the golden model in f32, with the attention weights that it offers") {
  check_golden_case("whisper");
}

TEST_CASE("log-mel of the golden signals") {
  const std::string folder = shared_path("golden/cases/log_mel"),
                    model = shared_path("models/whisper-tiny.en");
  if (folder.empty() || model.empty()) return;
  const Source golden = open_safetensors(folder + "/golden.safetensors");
  Session session = make_session(converted(model, Encoding::F16));
  for (const char *name : {"chirp", "clip", "noise", "silence"}) {
    RunRequest request;
    request.graph = "features";
    request.inputs["samples"] = read_safetensor(golden, concat("input.", name));
    const NamedTensors out = run_model(session, request);
    const HostTensor want = read_safetensor(golden, concat("output.", name)), &got = out.at("features");
    REQUIRE(got.type.shape == Shape{80, 3000});
    double worst = 0;
    for (uint64_t m = 0; m < 80; ++m)
      for (uint64_t t = 0; t < 400; ++t)
        worst = std::max(worst, std::abs(double(got.f[m * 3000 + t]) - want.f[m * 400 + t]));
    MESSAGE(concat(name, ": largest difference ", worst));
    CHECK(worst <= 1e-3);
  }
}

TEST_CASE("encoder statistics of real clips, f16") {
  const std::string folder = shared_path("models/whisper-tiny.en");
  if (folder.empty()) return;
  std::ifstream file(folder + "/references.json");
  const auto references = nlohmann::json::parse(file);
  Session session = make_session(converted(folder, Encoding::F16));
  const std::vector<std::string> clips = {"clips/jfk.wav", "clips/syn-07.wav"};
  for (size_t i = 0; i < clips.size(); i += one_in(1)) {
    const std::string &clip = clips[i];
    const Audio audio = read_audio(folder + "/" + clip);
    RunRequest request;
    request.inputs["samples"] = HostTensor({{audio.samples.size()}, Encoding::F32});
    request.inputs["samples"].f = audio.samples;
    request.inputs["decoder_tokens"] = HostTensor({{1}, Encoding::I32});
    NamedTensors out = run_model(session, request);
    const std::vector<float> &encoder = out.at("encoder").f;
    const auto &want = references["clips"][clip]["encoder"];
    for (const auto &[row, key] : {std::pair{0, "row0_first8"}, {100, "row100_first8"}}) {
      const std::vector<float> expected = want[key];
      const double error = nmse(std::span(encoder).subspan(size_t(row) * 384, 8), expected);
      MESSAGE(concat(clip, " ", key, ": NMSE ", error));
      CHECK(error <= 1e-5);
    }
    double sum = 0;
    for (const float v : encoder) sum += std::abs(double(v));
    CHECK(sum == doctest::Approx(double(want["abs_sum"])).epsilon(1e-4));
  }
}
