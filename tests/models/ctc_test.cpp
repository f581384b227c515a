// Speech models over samples with a CTC head, against the reference implementation.
#include "models/golden.h"

#include "format/gguf_writer.h"
#include "tasks/speech_spec.h"

#include <doctest/doctest.h>
#include <filesystem>
#include <unistd.h>

using namespace fovea;
using namespace fovea::test;

TEST_CASE("the golden wav2vec2") { check_golden_case("wav2vec2_ctc"); }

TEST_CASE("transcription says what it cannot do with a CTC model, before anything else") {
  const auto path =
      std::filesystem::temp_directory_path() / ("fovea_ctc_" + std::to_string(::getpid()) + ".gguf");
  const std::string graph = "graph forward\n  in samples f32 [N]\n  out logits = unary(samples)\n";
  GgufWriter writer(path.string());
  writer.add("general.architecture", std::string("fovea"));
  writer.add("fovea.task", std::string("transcribe"));
  writer.add("fovea.transcribe.decoder", std::string("ctc"));
  writer.add_graph("forward", graph);
  writer.commit();
  const auto model = Model::open(path.string());
  std::filesystem::remove(path);
  CHECK_THROWS_WITH_AS(SpeechSpec::read(model->file()), doctest::Contains("a CTC model"), Error);
}
