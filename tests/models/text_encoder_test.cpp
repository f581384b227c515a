// Text encoders and encoder-decoders against what the reference implementation computed (../shared/golden,
// ../shared/models).
#include "models/golden.h"

#include <doctest/doctest.h>
#include <fstream>
#include <nlohmann/json.hpp>

using namespace fovea;
using namespace fovea::test;

TEST_CASE("text encoders: bert, bert_classifier, distilbert_classifier") {
  check_golden_case("bert");
  check_golden_case("bert_classifier");
  check_golden_case("distilbert_classifier");
}

TEST_CASE("encoder-decoders: bart, t5") {
  check_golden_case("bart");
  check_golden_case("t5");
}

// The golden case's own outputs were made with position tables that it does not hold: see make_marian.py.
TEST_CASE("encoder-decoders: marian, with computed positions") {
  const std::string folder = shared_path("golden/cases/marian");
  if (folder.empty()) return;
  std::ifstream file(FOVEA_SOURCE_DIR "/tests/models/marian.json");
  const std::vector<float> want = nlohmann::json::parse(file)["logits"];
  const Source golden = open_safetensors(folder + "/golden.safetensors");
  RunRequest request;
  for (const char *name : {"tokens", "decoder_tokens"})
    request.inputs[name] = read_safetensor(golden, concat("input.", name));
  const auto model = converted(folder, Encoding::F32);
  Session session = make_session(model, session_sizes(*model, request));
  CHECK(nmse(run_model(session, request).at("logits").f, want) <= 1e-6);
}

TEST_CASE("a masked language model with shared layers, real weights, from a pickle") {
  const std::string folder = shared_path("models/rxnmapper-albert");
  if (!folder.empty()) check_golden_folder(folder);
}
