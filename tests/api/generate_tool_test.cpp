// fovea generate, run as users run it.
#include "api/process.h"
#include "support/shared_folder.h"

#include <doctest/doctest.h>
#include <nlohmann/json.hpp>

using namespace fovea::test;

namespace {

Finished tool(const std::string &arguments) { return run_command("'" FOVEA_TOOL "' " + arguments); }

std::string stories() {
  static const TempFolder folder;
  const std::string source = shared_path("models/stories260K"), path = folder / "stories.gguf";
  if (source.empty() || std::filesystem::exists(path)) return source.empty() ? "" : path;
  const Finished f = tool("convert " + quoted(source) + " -o " + quoted(path) + " --encoding f32");
  REQUIRE_MESSAGE(f.exit_code == 0, f.err);
  return path;
}

void check_error(const std::string &arguments, int code, const std::string &what) {
  CAPTURE(arguments);
  const Finished f = tool(arguments);
  CHECK(f.exit_code == code);
  CHECK_MESSAGE(f.err.find(what) != std::string::npos, f.err);
  CHECK(f.out.empty());
}

} // namespace

TEST_CASE("fovea generate: prompts from the command line, a file and standard input; JSON") {
  const std::string model = stories();
  if (model.empty()) return;
  const std::string command = "generate " + quoted(model) + " -n 10 ";
  const std::string want = ", there was a little girl named Lily";
  const Finished direct = tool(command + "-p 'Once upon a time'");
  REQUIRE_MESSAGE(direct.exit_code == 0, direct.err);
  CHECK(direct.out == want + "\n");
  CHECK(direct.err.find("tokens/s; finish: length\n") != std::string::npos);
  for (const char *cache : {"f16", "q8"})
    CHECK(tool(command + "-q -p 'Once upon a time' --cache " + cache).out == want + "\n");
  const TempFolder folder;
  write_file(folder / "prompt.txt", "Once upon a time\n");
  CHECK(tool(command + "-q --file " + quoted(folder / "prompt.txt")).out == want + "\n");
  CHECK(tool(command + "-q < " + quoted(folder / "prompt.txt")).out == want + "\n");

  const Finished json = tool(command + "--json -p 'Once upon a time' --stop little");
  const auto reply = nlohmann::json::parse(json.out);
  CHECK(reply["text"] == ", there was a ");
  CHECK(reply["finish"] == "stop");
  CHECK(reply["prompt_tokens"].size() == 5);
  CHECK(reply["timings"]["n_prompt"] == 5);
  CHECK(json.err.empty());
}

TEST_CASE("fovea generate: what cannot be") {
  const std::string model = stories();
  if (model.empty()) return;
  const std::string command = "generate " + quoted(model) + " ";
  check_error(command + "--chat -p Hi", 1, "no chat format");
  check_error(command + "-p Hi --context 3000", 1, "expected 2 to 512");
  check_error(command + "-p 'Once upon a time' --context 4", 1, "the context holds 4");
  check_error(command + "-p Hi --repeat-penalty 1001", 1, "repeat penalty is 1001");
  check_error(command + "-p Hi --temperature -1", 2, "--temperature");
  check_error(command + "-p Hi --cache q9", 2, "q9 not in {f16,q8}");
  check_error(command + "-p Hi --file x", 2, "two prompts");
  check_error(command + "--file /no/such/file", 1, "/no/such/file: cannot be opened");
}
