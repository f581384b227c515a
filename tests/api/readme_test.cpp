// The README's program is built and run as it stands there.
#include "api/tool.h"

using namespace fovea::test;

namespace {

/// The text of the first block in this language.
std::string block(const std::string &text, const std::string &language) {
  const std::string begin = std::string("\n```").append(language).append("\n");
  const size_t at = text.find(begin);
  REQUIRE(at != std::string::npos);
  const size_t first = at + begin.size();
  return text.substr(first, text.find("\n```", first) + 1 - first);
}

} // namespace

TEST_CASE("README: the program builds, and writes down what is said") {
  if (std::string(FOVEA_SANITIZED) != "") {
    MESSAGE("skipped: libraries with sanitizers need programs with sanitizers");
    return;
  }
  const std::string program = block(read_file(FOVEA_SOURCE_DIR "/README.md"), "cpp");
  CHECK(lines_of(program).size() <= 32);
  const TempFolder folder;
  write_file(folder / "listen.cpp", program);
  const std::string listen = quoted(folder / "listen");
  std::string command = FOVEA_CXX_COMPILER
      " -std=c++17 -Wall -Wextra -Wpedantic -Werror -I '" FOVEA_SOURCE_DIR "/runtime/include' -o ";
  command.append(listen).append(" ").append(quoted(folder / "listen.cpp"));
  for (const std::string library : {FOVEA_LIBRARY, FOVEA_AUDIO_LIBRARY}) // for the linker and for the loader
    command.append(" '")
        .append(library)
        .append("' -Wl,-rpath,'")
        .append(library, 0, library.rfind('/'))
        .append("'");
  const Finished built = run_command(command);
  REQUIRE_MESSAGE(built.exit_code == 0, built.err);
  CHECK(run_command(listen).exit_code == 2);
  const Finished missing = run_command(listen + " /nonexistent x.wav");
  CHECK(missing.exit_code == 1);
  CHECK(missing.err.rfind("error: /nonexistent", 0) == 0);
  const Finished f =
      run_command(listen + " '" FOVEA_SOURCE_DIR "/samples/models/speech-en.fovea.gguf' '" FOVEA_SOURCE_DIR
                           "/samples/audio/story.flac'");
  CHECK_MESSAGE(f.exit_code == 0, f.err);
  CHECK_MESSAGE(f.out.find("the old man") != std::string::npos, f.out);
}

TEST_CASE("README: its commands are there, and its links lead somewhere") {
  const std::string readme = read_file(FOVEA_SOURCE_DIR "/README.md");
  const std::string help = run_tool("--help").out;
  std::istringstream words(block(readme.substr(readme.find("## Use it")), "sh"));
  size_t n = 0;
  for (std::string word; words >> word;)
    if (word == "$fovea" && words >> word) {
      CHECK_MESSAGE(help.find(std::string("\n  ").append(word).append(" ")) != std::string::npos, word);
      ++n;
    }
  CHECK(n > 10);
  for (size_t at = 0; (at = readme.find("](", at)) != std::string::npos; ++at) {
    const std::string link = readme.substr(at + 2, readme.find(')', at) - at - 2);
    if (link.rfind("http", 0) != 0 && link.find(' ') == std::string::npos)
      CHECK_MESSAGE(std::filesystem::exists(std::filesystem::path(FOVEA_SOURCE_DIR) / link), link);
  }
}
