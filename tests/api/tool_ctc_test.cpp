// fovea transcribe and the C++ interface with a CTC model: the golden case's random weights, and ctc.json's
// letters for its classes.
#include "api/process.h"
#include "support/shared_folder.h"

#include <fovea/audio.hpp>
#include <fovea/transcribe.hpp>

#include <doctest/doctest.h>
#include <nlohmann/json.hpp>

#include <algorithm>

using namespace fovea::test;

namespace {

Finished fovea_tool(const std::string &arguments) { return run_command("'" FOVEA_TOOL "' " + arguments); }

/// The golden case with its letters beside it, converted; "" where there is none.
std::string converted_ctc(const TempFolder &folder) {
  const std::string golden = shared_path("golden/cases/wav2vec2_ctc");
  if (golden.empty()) return "";
  const std::string source = folder / "source", path = folder / "ctc.gguf";
  std::filesystem::create_directory(source);
  for (const char *file : {"/config.json", "/model.safetensors"})
    std::filesystem::copy_file(golden + file, source + file);
  const auto fixture = nlohmann::json::parse(read_file(FOVEA_SOURCE_DIR "/tests/models/ctc.json"));
  write_file(source + "/vocab.json", fixture["vocabularies"]["plain"].dump());
  const Finished f = fovea_tool("convert " + quoted(source) + " -o " + quoted(path) + " --encoding f32");
  REQUIRE_MESSAGE(f.exit_code == 0, f.err);
  return path;
}

/// A text without its spaces.
std::string letters(std::string text) {
  text.erase(std::remove_if(text.begin(), text.end(), [](char c) { return c == ' ' || c == '\n'; }),
             text.end());
  return text;
}

} // namespace

TEST_CASE("tool: transcribe with a CTC model writes words with times") {
  const TempFolder folder;
  const std::string model = converted_ctc(folder), clip = shared_path("audio/spk1_snt2.wav");
  if (model.empty() || clip.empty()) return;
  const std::string transcribe = "transcribe " + quoted(model) + " " + quoted(clip);

  const Finished text = fovea_tool(transcribe);
  REQUIRE_MESSAGE(text.exit_code == 0, text.err);
  CHECK(text.err.find("real-time factor") != std::string::npos);
  CHECK(text.err.find("language") == std::string::npos);

  const Finished json = fovea_tool(transcribe + " -f json -q");
  CHECK(json.err.empty());
  const auto whole = nlohmann::json::parse(json.out);
  CHECK(whole["language"] == "");
  CHECK(letters(whole["text"]) == letters(text.out));
  CHECK(letters(text.out).size() > 20);
  double reached = 0;
  for (const auto &segment : whole["segments"]) {
    std::string of_words;
    CHECK(segment["start"] == segment["words"].front()["start"]);
    CHECK(segment["end"] == segment["words"].back()["end"]);
    for (const auto &word : segment["words"]) {
      CHECK(word["start"] >= reached);
      CHECK(word["end"] > word["start"]);
      CHECK((word["probability"] > 0 && word["probability"] <= 1));
      reached = word["end"];
      of_words += word["text"];
    }
    CHECK(of_words == letters(segment["text"]));
  }
  CHECK(reached <= whole["timings"]["audio_s"]);

  CHECK(fovea_tool(transcribe + " -f srt -q").out.rfind("1\n00:00:0", 0) == 0);
  CHECK(fovea_tool(transcribe + " -f vtt -q").out.rfind("WEBVTT\n\n00:0", 0) == 0);
  CHECK(fovea_tool(transcribe + " --best-of 3 --condition off -l auto").out == text.out);
  for (const auto &[option, what] : {std::pair{"--language de", "language 'de'"},
                                     {"--language en", "trained on; give none"},
                                     {"--translate", "cannot translate"},
                                     {"--beam 2", "2 beams"},
                                     {"--temperature 0.5", "temperature"},
                                     {"--prompt Hello", "prompt"}}) {
    const Finished f = fovea_tool(transcribe + " " + option);
    CAPTURE(f.err);
    CHECK(f.exit_code == 1);
    CHECK(f.out.empty());
    CHECK(f.err.rfind("fovea: error: ", 0) == 0);
    CHECK(f.err.find(what) != std::string::npos);
    CHECK(f.err.find('\n') == f.err.size() - 1);
  }
  const Finished bench = fovea_tool("bench --runs 1 --profile " + quoted(model));
  CAPTURE(bench.err);
  CHECK(bench.exit_code == 0);
  CHECK(bench.out.find("\nwindow of ") != std::string::npos);
}

TEST_CASE("interface: words of a CTC model's segments, as they come and afterwards") {
  const TempFolder folder;
  const std::string path = converted_ctc(folder), clip = shared_path("audio/spk1_snt2.wav");
  if (path.empty() || clip.empty()) return;
  const auto device = fovea::Device::open().value();
  const auto model = fovea::Model::open(path).value();
  auto transcriber = fovea::Transcriber::create(device, model).value();
  CHECK(transcriber.languages().empty());
  auto reader = fovea::AudioReader::open(clip, transcriber.sample_rate_hz()).value();
  std::vector<std::string> heard, kept;
  fovea::TranscribeCallbacks callbacks;
  callbacks.segment = [&](const fovea_segment &segment) {
    CHECK(segment.struct_size == sizeof segment);
    for (size_t i = 0; i < segment.n_words; ++i) heard.push_back(segment.words[i].text);
    return true;
  };
  const auto transcript =
      transcriber.transcribe(reader.source(), fovea::TranscribeOptions(), callbacks).value();
  for (size_t i = 0; i < transcript.n_segments(); ++i)
    for (size_t k = 0; k < transcript.segment(i).n_words; ++k)
      kept.push_back(transcript.segment(i).words[k].text);
  CHECK(heard.size() > 5);
  CHECK(heard == kept);
}
