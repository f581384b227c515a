// A library that was linked for the bundled speech model alone: it runs that, and says what it lacks for
// others. Linked to that library, as an app would be; sound files are read by the static parts.
#include "audio/audio.h"
#include "format/gguf_writer.h"
#include "support/temp_folder.h"
#include "support/tiny_ctc_model.h"

#include <fovea/transcribe.hpp>

#include <cstdio>
#include <dlfcn.h>
#include <doctest/doctest.h>

using namespace fovea::test;

namespace {

constexpr const char *kModel = FOVEA_SOURCE_DIR "/samples/models/speech-en.fovea.gguf";

const fovea::Device &device() {
  static const fovea::Device device = fovea::Device::open().value();
  return device;
}

/// y = x W', W in q8, which the bundled model has not.
std::string q8_model(const TempFolder &folder) {
  const std::string path = folder / "q8.gguf";
  fovea::GgufWriter writer(path);
  writer.add("general.architecture", std::string("fovea"));
  writer.add_graph("forward", "graph forward\n  in x f32 [T, 64]\n  out y = linear(x, w)\n");
  writer.add_tensor("w", {{8, 64}, fovea::Encoding::Q8});
  writer.write(std::vector<std::byte>(8 * 64));
  writer.write(std::vector<std::byte>(8 * 64 / 32 * 2));
  writer.commit();
  return path;
}

bool contains(const std::string &text, const char *part) { return text.find(part) != std::string::npos; }

} // namespace

TEST_CASE("a library for the bundled model: writes down the sample recordings, word for word") {
  auto transcriber = fovea::Transcriber::create(device(), fovea::Model::open(kModel).value()).value();
  std::ifstream lines(FOVEA_SOURCE_DIR "/samples/audio/transcripts.tsv");
  std::string name, text;
  size_t n = 0;
  for (; std::getline(lines, name, '\t') && std::getline(lines, text); ++n) {
    CAPTURE(name);
    const std::vector<float> samples =
        fovea::read_audio(FOVEA_SOURCE_DIR "/samples/audio/" + name, transcriber.sample_rate_hz()).samples;
    CHECK(std::string(transcriber.transcribe(samples.data(), samples.size()).value().text()) == text);
  }
  CHECK(n == 5);
}

TEST_CASE("a library for the bundled model: a kernel that it lacks is an error that names it, when a plan is "
          "made") {
  const TempFolder folder;
  const std::string path = q8_model(folder);
  const auto model = fovea::Model::open(path).value();
  char *text = nullptr;
  CHECK(fovea_model_plan(model.get(), nullptr, "forward", nullptr, 0, &text) == FOVEA_UNSUPPORTED);
  const std::string said = fovea_last_error();
  CAPTURE(said);
  CHECK(text == nullptr);
  CHECK(contains(said, path.c_str()));
  CHECK(contains(said, "kernel linear_vector_base_q8 is not in this library"));
  CHECK(contains(said, "FOVEA_KERNELS_FOR"));
}

TEST_CASE(
    "a library for the bundled model: an op that it lacks is an error that names it, when a file is opened") {
  const TempFolder folder;
  const std::string path = folder / "op.gguf";
  write_tiny_ctc_model(path, {{}, [](std::string &graph) { graph += "  m2 = reduce_max(p)\n"; }});
  const auto model = fovea::Model::open(path);
  REQUIRE_FALSE(model);
  CHECK(model.status() == FOVEA_UNSUPPORTED);
  CHECK(contains(model.message(), "op reduce_max is not in this library"));
  CHECK(contains(model.message(), "FOVEA_KERNELS_FOR"));
  CHECK(contains(model.message(), path.c_str()));
}

TEST_CASE("a library for the bundled model: another kind of transcription is an error that says so") {
  const TempFolder folder;
  const std::string path = folder / "tokens.gguf";
  write_tiny_ctc_model(path, {[](auto &metadata) { metadata.erase("fovea.transcribe.decoder"); }, {}});
  const auto model = fovea::Model::open(path).value();
  const auto transcriber = fovea::Transcriber::create(device(), model);
  REQUIRE_FALSE(transcriber);
  CHECK(transcriber.status() == FOVEA_UNSUPPORTED);
  CHECK(contains(transcriber.message(), "token after token is not in this library"));
}

TEST_CASE("a library for the bundled model: has the functions of its task, and no others") {
  void *library = dlopen(FOVEA_SPEECH_LIBRARY, RTLD_NOW | RTLD_LOCAL);
  REQUIRE_MESSAGE(library, dlerror());
  for (const char *name : {"fovea_transcribe", "fovea_stream_push", "fovea_session_run", "fovea_model_open"})
    CHECK_MESSAGE(dlsym(library, name), name);
  for (const char *name : {"fovea_generate", "fovea_classify_images", "fovea_bench", "fovea_tune"})
    CHECK_MESSAGE(!dlsym(library, name), name);
  dlclose(library);
}
