// The models that come with the tool, by name or by default.
#include "api/tool.h"

using namespace fovea::test;

namespace {
const std::string kClip = quoted(FOVEA_SOURCE_DIR "/samples/audio/story.flac");
const std::string kModel = quoted(FOVEA_SOURCE_DIR "/samples/models/speech-en.fovea.gguf");
} // namespace

TEST_CASE("tool: a bundled model is found by its name, and is the default for recordings") {
  const Finished by_path = run_tool("transcribe -q " + kModel + " " + kClip);
  REQUIRE_MESSAGE(by_path.exit_code == 0, by_path.err);
  CHECK(by_path.out.find("the old man") != std::string::npos);
  CHECK(run_tool("transcribe -q speech-en " + kClip).out == by_path.out);
  CHECK(run_tool("transcribe -q " + kClip).out == by_path.out);
  CHECK(run_tool("transcribe -q " + kClip + " --format text").out == by_path.out);
  CHECK(run_tool("transcribe -q - < " + kClip).out == by_path.out);
  // Of several recordings, the first is told from a model by its bytes.
  const Finished two = run_tool("transcribe -q " + kClip + " " + kClip);
  CHECK(two.exit_code == 0);
  CHECK(lines_of(two.out).size() == 2 * lines_of(by_path.out).size() + 2);
  CHECK(run_tool("inspect speech-en").exit_code == 0);
}

TEST_CASE("tool: the output's ending is the format, unless one is given") {
  const TempFolder folder;
  const auto begin = [&](const std::string &name, const std::string &option = "") {
    const Finished f = run_tool("transcribe -q " + kClip + " -o " + quoted(folder / name) + option);
    CHECK_MESSAGE(f.exit_code == 0, f.err);
    return read_file(folder / name).substr(0, 6);
  };
  CHECK(begin("a.srt") == "1\n00:0");
  CHECK(begin("a.VTT") == "WEBVTT");
  CHECK(begin("a.json") == "{\n  \"a");
  const std::string text = begin("a.txt");
  CHECK(text != begin("a.srt"));
  CHECK(begin("a.xyz") == text);
  CHECK(begin("b.srt", " --format text") == text);
  CHECK(begin("b.txt", " -f vtt") == "WEBVTT");
  std::filesystem::create_directory(folder / "c.srt"); // a folder has no format
  CHECK(run_tool("transcribe -q " + kClip + " -o " + quoted(folder / "c.srt")).exit_code == 0);
  CHECK(read_file(folder / "c.srt/story.txt").substr(0, 6) == text);
}

TEST_CASE("tool: live text ends with the final line, no empty one after it") {
  const Finished f = run_tool("transcribe -q --realtime --format json " +
                              quoted(FOVEA_SOURCE_DIR "/samples/audio/hello.flac"));
  REQUIRE_MESSAGE(f.exit_code == 0, f.err);
  const auto lines = lines_of(f.out);
  REQUIRE(!lines.empty());
  CHECK_MESSAGE(lines.back().rfind(R"({"type":"final",)", 0) == 0, lines.back());
}

TEST_CASE("tool: of several files the first is told from a model by its bytes") {
  const TempFolder folder;
  const auto is_model = [&](const std::string &bytes) {
    write_file(folder / "first", bytes);
    const Finished finished = run_tool("transcribe -q " + quoted(folder / "first") + " /nonexistent.wav");
    CHECK(finished.exit_code == 1);
    return finished.err.find("GGUF") != std::string::npos;
  };
  // MPEG 1, 2 and 2.5, with and without a checksum.
  for (const char *frame :
       {"\xFF\xFB\x90\x64", "\xFF\xFA\x90\x64", "\xFF\xF3\x90\x64", "\xFF\xE3\x90\x64", "ID3\x04", "OggS"})
    CHECK_MESSAGE(!is_model(frame), frame);
  for (const char *other : {"\xFF\xFF\xFF\xFF", "\xFF", "some text"}) CHECK_MESSAGE(is_model(other), other);
}

TEST_CASE("tool: what is no bundled model is looked for where it was said to be") {
  const TempFolder folder;
  write_file(folder / "speech-en", "not a model");
  // A file of that name goes first.
  const Finished file = run_command("cd " + quoted(folder.path()) + " && '" FOVEA_TOOL "' inspect speech-en");
  CHECK(file.exit_code == 1);
  CHECK(file.err.rfind("fovea: error: speech-en: ", 0) == 0);
  check_tool_error("inspect speech-xx", 1, "speech-xx");
  check_tool_error("inspect ./speech-en", 1, "./speech-en");
  check_tool_error("transcribe /nonexistent.wav", 1, "/nonexistent.wav");
  check_tool_error("transcribe speech-en", 2, "AUDIO missing");
  check_tool_error("transcribe", 2, "AUDIO missing");
  // Moved away from its models, the tool says that there are none.
  const Finished alone = run_command("cp '" FOVEA_TOOL "' " + quoted(folder / "fovea") + " && " +
                                     quoted(folder / "fovea") + " transcribe " + kClip);
  CHECK(alone.exit_code == 2);
  CHECK(alone.err.find("no speech model is installed with the tool") != std::string::npos);
}
