// What is written from the commands: completion scripts and the manual page know all that --help knows.
#include "api/tool.h"

#include <regex>
#include <set>

using namespace fovea::test;

namespace {

std::vector<std::string> matches(const std::string &text, const char *pattern) {
  std::vector<std::string> found;
  const std::regex regex(pattern);
  for (std::sregex_iterator at(text.begin(), text.end(), regex), end; at != end; ++at)
    found.push_back((*at)[1]);
  return found;
}

/// The commands that --help lists.
std::vector<std::string> commands() {
  const std::string help = run_tool("--help").out;
  return matches(help.substr(help.find("Subcommands:")), "\n  ([a-z]+) ");
}

Finished complete(const std::string &words, int index, const std::string &folder = ".") {
  return run_command("cd " + quoted(folder) + " && bash -c 'source <(\"$0\" completion bash); COMP_WORDS=(" +
                     words + "); COMP_CWORD=" + std::to_string(index) +
                     "; _fovea; printf \"%s\\n\" \"${COMPREPLY[@]}\"' " + quoted(FOVEA_TOOL));
}

/// What bash offers for the last of the words, sorted by it.
std::vector<std::string> offers(const std::string &words, int index) {
  const Finished f = complete(words, index);
  CHECK_MESSAGE(f.err.empty(), f.err);
  std::vector<std::string> lines = lines_of(f.out);
  if (lines == std::vector<std::string>{""}) lines.clear();
  return lines;
}

using List = std::vector<std::string>;

} // namespace

TEST_CASE("completion: every command and option of --help is in the scripts and in the manual page") {
  const std::vector<std::string> all = commands();
  CHECK(all.size() >= 14);
  const std::string manual = run_tool("manual").out;
  for (const char *shell : {"bash", "zsh", "fish"}) {
    const std::string script = run_tool(std::string("completion ") + shell).out;
    for (const std::string &command : all) {
      CAPTURE(command);
      const std::string help = run_tool(command + " --help").out;
      CHECK(script.find(command) != std::string::npos);
      CHECK(manual.find("\n.SS fovea " + command + " ") != std::string::npos);
      for (const std::string &option : matches(help, "\n  (?:-[a-z],)?--([a-z][a-z-]*)")) {
        CAPTURE(option);
        CHECK(script.find(shell[0] == 'f' ? "-l " + option : "--" + option) != std::string::npos);
        CHECK(manual.find(std::regex_replace("--" + option, std::regex("-"), "\\-")) != std::string::npos);
      }
    }
  }
}

TEST_CASE("completion: bash offers commands, options and their values") {
  const List all = offers("fovea \"\"", 1);
  for (const std::string &command : commands())
    CHECK(std::find(all.begin(), all.end(), command) != all.end());
  CHECK(offers("fovea trans", 1) == List{"transcribe", "translate"});
  CHECK(offers("fovea transcribe --for", 2) == List{"--format"});
  CHECK(offers("fovea transcribe m.gguf --format s", 4) == List{"srt"});
  CHECK(offers("fovea transcribe --format = v", 4) == List{"vtt"}); // --format=v
  CHECK(offers("fovea transcribe --format =", 3) == List{"text", "srt", "vtt", "json"});
  CHECK(offers("fovea completion z", 2) == List{"zsh"});
  CHECK(offers("fovea transcribe talk", 2).empty()); // names of files
  CHECK(offers("fovea transcribe m.gguf sp", 3).empty());
  CHECK(offers("fovea --ver", 1) == List{"--version"});
}

TEST_CASE("completion: speech models that come with the tool are offered beside files") {
  for (const char *command : {"transcribe", "bench", "run", "inspect"})
    CHECK(offers(std::string("fovea ") + command + " speech-e", 2) == List{"speech-en"});
  CHECK(offers("fovea caption speech-e", 2).empty());
  const TempFolder folder;
  write_file(folder / "speech of mine.gguf", "");
  CHECK(lines_of(complete("fovea transcribe sp", 2, folder.path()).out) ==
        List{"speech-en", "speech of mine.gguf"});
  for (const char *shell : {"zsh", "fish"})
    CHECK(run_tool(std::string("completion ") + shell).out.find("speech-en") != std::string::npos);
}

TEST_CASE("completion: the shells that are here read their scripts") {
  for (const char *shell : {"bash", "zsh", "fish"}) {
    if (run_command(std::string("command -v ") + shell).exit_code != 0) continue;
    const Finished f = run_command(quoted(FOVEA_TOOL) + " completion " + shell + " | " + shell + " -n");
    CHECK_MESSAGE(f.exit_code == 0, f.err);
    CHECK(f.err.empty());
  }
  check_tool_error("completion tcsh", 2, "tcsh");
  check_tool_error("completion", 2, "SHELL missing");
}

TEST_CASE("manual page: troff without warnings, where there is man") {
  if (run_command("command -v man && command -v groff").exit_code != 0) return;
  const Finished f = run_command("export LC_ALL=C.UTF-8 MANROFFSEQ=; '" FOVEA_TOOL
                                 "' manual | man --warnings -E UTF-8 -l -Tutf8 -");
  CHECK(f.exit_code == 0);
  CHECK_MESSAGE(f.err.empty(), f.err);
  CHECK(f.out.find("fovea transcribe") != std::string::npos);
}
