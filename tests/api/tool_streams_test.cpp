// Standard input that is no text, or closed; outputs that are devices and pipes.
#include "api/tool.h"

using namespace fovea::test;

namespace {

void check_failed(const Finished &f, const std::string &what) {
  CHECK(f.exit_code == 1);
  CHECK_MESSAGE(f.err.find(what) != std::string::npos, f.err);
  CHECK_MESSAGE(lines_of(f.err).size() == 1, f.err);
  CHECK(f.out.empty());
}

} // namespace

TEST_CASE("tool: standard input with a zero byte is not read as lines of text") {
  const std::string bert = tool_model("golden/cases/bert"), clip = tool_model("golden/cases/clip"),
                    labels = tool_model("golden/cases/bert_classifier"), t5 = tool_model("golden/cases/t5"),
                    cat = quoted(shared_path("images/cat.png"));
  if (bert.empty() || clip.empty() || labels.empty() || t5.empty() || cat.size() < 3) return;
  const std::string error = "standard input: has a zero byte: not a text";
  for (const std::string &command : {"embed " + bert, "classify " + labels, "translate " + t5})
    check_failed(run_tool(command + " -", "cat " + cat + " | "), error + "\n");
  check_failed(run_tool("embed " + clip + " -", "cat " + cat + " | "),
               error + "; of a picture with --images");
  CHECK(run_tool("embed " + clip + " --images -", "cat " + cat + " | ").exit_code == 0);
  check_failed(run_tool("embed " + bert + " -", "printf 'one\\ntw\\0o\\n' | "), error);
}

TEST_CASE("tool: a closed standard input is not an empty one") {
  const std::string stories = tool_model("models/stories260K"), t5 = tool_model("golden/cases/t5");
  if (stories.empty() || t5.empty()) return;
  const std::string error = "standard input: cannot be read: Bad file descriptor";
  check_failed(run_tool("generate " + stories + " -n 4 <&-"), error);
  check_failed(run_tool("translate " + t5 + " - <&-"), error);
  CHECK(run_tool("generate " + stories + " -q -n 4 </dev/null").exit_code == 0);
  check_failed(run_tool("generate " + stories + " -q -n 4 -p Hi >&-"),
               "standard output: Bad file descriptor");
}

TEST_CASE("tool: pictures are written to devices and pipes as they are") {
  const std::string yolos = tool_model("golden/cases/yolos"),
                    segformer = tool_model("golden/cases/segformer"),
                    cat = quoted(shared_path("images/cat.png"));
  if (yolos.empty() || segformer.empty() || cat.size() < 3) return;
  const TempFolder folder;
  for (const std::string &command : {"detect " + yolos + " " + cat, "segment " + segformer + " " + cat}) {
    CAPTURE(command);
    const std::string file = folder / "x.png";
    REQUIRE(run_tool(command + " -o " + quoted(file)).exit_code == 0);
    // Behind a pipe: /dev/stdout of a file is that file, which is replaced.
    const Finished piped = run_tool(command + " -o /dev/stdout | cat");
    CHECK(piped.err.empty());
    CHECK(piped.out.rfind(read_file(file), 0) == 0);
    check_failed(run_tool(command + " -o /dev/full"), "/dev/full: cannot write: No space left on device");
    CHECK(run_tool(command + " -o /dev/null").exit_code == 0);
    check_failed(run_tool(command + " -o " + quoted(folder.path())), ": is a directory");
  }
}

TEST_CASE("tool: bench says where the weights are") {
  const std::string model = tool_model("models/whisper-tiny.en");
  if (model.empty()) return;
  const Finished text = run_tool("bench " + model + " --runs 1");
  REQUIRE_MESSAGE(text.exit_code == 0, text.err);
  const bool in_place = text.out.find("weights used in place") != std::string::npos;
  CHECK((text.out.find("weights in place, in the file") != std::string::npos) == in_place);
  CHECK(text.out.find("weights 0 B") == std::string::npos);
}
