// Command lines that cannot be meant: exit code 2 and one line that names the option, before any work is
// done.
#include "api/tool.h"

using namespace fovea::test;
namespace fs = std::filesystem;

TEST_CASE("tool: an output that is an input is refused, under any name, and stays as it was") {
  const TempFolder folder;
  for (const char *name : {"m.gguf", "x.wav", "y.txt", "p.jpg", "in"}) write_file(folder / name, name);
  fs::create_symlink("p.jpg", folder / "symbolic.png");
  fs::create_hard_link(folder / "x.wav", folder / "hard.txt");
  const auto refused = [&](const std::string &arguments, const std::string &output) {
    CAPTURE(arguments);
    const Finished f = run_command("cd " + quoted(folder.path()) + " && '" FOVEA_TOOL "' " + arguments);
    CHECK(f.exit_code == 2);
    CHECK(f.err.rfind("fovea: error: " + output + ": is the input; give ", 0) == 0);
    CHECK_MESSAGE(lines_of(f.err).size() == 1, f.err);
    CHECK(f.out.empty());
  };
  for (const char *output : {"x.wav", "m.gguf", "./x.wav", "hard.txt"})
    refused(std::string("transcribe m.gguf x.wav -o ") + output, output);
  refused("transcribe m.gguf x.wav y.txt -o .", "./y.txt");
  refused("transcribe m.gguf - -o x.wav < x.wav", "x.wav");
  for (const char *command : {"detect", "segment"})
    for (const char *output : {"p.jpg", "m.gguf", "symbolic.png"})
      refused(std::string(command) + " m.gguf p.jpg -o " + output, output);
  refused("embed m.gguf hi -o m.gguf", "m.gguf");
  refused("embed m.gguf p.jpg -o p.jpg", "p.jpg");
  refused("embed m.gguf a p.jpg -o symbolic.png", "symbolic.png");
  refused("embed m.gguf --texts - -o in < in", "in");
  refused("run m.gguf --in in --out in", "in");
  refused("run m.gguf --in in --out m.gguf", "m.gguf");
  refused("convert m.gguf -o m.gguf", "m.gguf");
  for (const char *name : {"m.gguf", "x.wav", "y.txt", "p.jpg", "in"})
    CHECK(read_file(folder / name) == name);
  CHECK(folder.n_files() == 7);
  // A device may be both.
  check_tool_error("transcribe /nonexistent/model /dev/null -o /dev/null", 1, "/nonexistent/model");
}

TEST_CASE("tool: numbers that are none, or too large, are wrong command lines") {
  const auto wrong = [](const std::string &arguments, const std::string &option, const std::string &values,
                        const std::string &what) {
    std::istringstream list(values);
    for (std::string value; list >> value;)
      check_tool_error(arguments + " " + option + " " + value, 2,
                       option + ": '" + value + "' is not " + what);
  };
  const std::string generate = "generate /nonexistent -p Hi", transcribe = "transcribe /nonexistent a.wav",
                    translate = "translate /nonexistent a";
  wrong(generate, "--temperature", "nan inf -1 1001 warm", "a number from 0 to 1000");
  for (const char *option : {"--top-p", "--min-p"})
    wrong(generate, option, "nan -NaN -0.1 1.1 1e39", "a number from 0 to 1");
  wrong(generate, "--repeat-penalty", "nan 0 -1 inf 1e-60 1x", "a number above 0");
  wrong(generate, "--seed", "-1 18446744073709551616 1.5 nan 99999999999999999999999", "a whole number");
  wrong(transcribe, "--seed", "-1 18446744073709551616", "a whole number");
  wrong(transcribe, "--temperature", "nan 11", "a number from 0 to 10");
  wrong(transcribe, "--patience", "0 nan -1", "a number above 0");
  wrong(translate, "--length-penalty", "nan inf", "a number");
  wrong(translate, "--repeat-penalty", "nan 0", "a number above 0");
  wrong("detect /nonexistent p.jpg", "--threshold", "nan 2", "a number from 0 to 1");
  // What is right goes on to the model.
  for (const char *right : {"--seed 18446744073709551615", "--seed 0", "--temperature 1000", "--top-p 0",
                            "--repeat-penalty 1e-3", "--stop x"})
    check_tool_error(generate + " " + right, 1, "/nonexistent");
  check_tool_error(translate + " --length-penalty -2.5", 1, "/nonexistent");
}

TEST_CASE("tool: options that contradict each other, or go with another, are wrong command lines") {
  for (const char *command : {"translate /nonexistent a", "caption /nonexistent a.png"}) {
    check_tool_error(std::string(command) + " --min-tokens 5 --max-tokens 4", 2,
                     "--min-tokens 5 is more than --max-tokens 4");
    for (const char *right : {" --min-tokens 4 --max-tokens 4", " --min-tokens 5"})
      check_tool_error(std::string(command) + right, 1, "/nonexistent");
  }
  check_tool_error("generate /nonexistent -p Hi --system 'Be brief.'", 2, "--system goes with --chat");
  check_tool_error("generate /nonexistent -p Hi --chat --system 'Be brief.'", 1, "/nonexistent");
  check_tool_error("generate /nonexistent -p Hi --stop ''", 2, "--stop: is an empty text");
}

TEST_CASE("tool: what is no option is named, not its value") {
  check_tool_error("devices --device 3", 2, "no option is called '--device'; see fovea devices --help");
  check_tool_error("devices 3 --bogus", 2, "no option is called '--bogus'");
  check_tool_error("devices 3 4", 2, "one argument too many: '3'");
  check_tool_error("--bogus devices", 2, "no option is called '--bogus'");
  for (const char *option : {"-V", "-x", "--hel", "--json"})
    check_tool_error(option, 2, std::string("no option is called '") + option + "'; see fovea --help");
}

TEST_CASE("tool: an option that stands before its command is told to stand after it") {
  check_tool_error("--json devices", 2,
                   "'--json' comes after the command: fovea devices --json; see fovea devices --help");
  check_tool_error("--format=srt transcribe a.wav", 2, "fovea transcribe --format=srt;");
  check_tool_error("-q transcribe", 2, "'-q' comes after the command");
}

TEST_CASE("tool: help is --help of the tool, or of a command") {
  const Finished help = run_tool("help"), of_command = run_tool("help transcribe");
  CHECK(help.exit_code == 0);
  CHECK(help.out == run_tool("--help").out);
  CHECK(of_command.exit_code == 0);
  CHECK(of_command.out == run_tool("transcribe --help").out);
  CHECK(run_tool("help --help").out == help.out);
  check_tool_error("help frobnicate", 2, "no command is called 'frobnicate'");
}

TEST_CASE("tool: help is whole sentences in columns that are straight") {
  const std::string help = run_tool("--help").out;
  std::vector<size_t> columns;
  for (const std::string &line : lines_of(help))
    if (line.rfind("  FOVEA_", 0) == 0)
      columns.push_back(line.find_first_not_of(' ', line.find(' ', line.find('F'))));
  CHECK(columns == std::vector<size_t>(11, columns.at(0)));
  CHECK(help.find("fovea manual | man -l -") != std::string::npos);
  // CLI11 breaks long lines.
  const auto words = [](const std::string &arguments) {
    std::istringstream in(run_tool(arguments).out);
    std::string text;
    for (std::string word; in >> word;) text += word + " ";
    return text;
  };
  CHECK(
      words("transcribe --help")
          .find("A speech model file (see fovea convert; default: speech-en, which comes with the tool) ") !=
      std::string::npos);
  CHECK(words("convert --help").find("NAME-ENCODING.fovea.gguf here, refused if it exists)") !=
        std::string::npos);
}

TEST_CASE("tool: FOVEA_DEVICE is named where it names no device") {
  const Finished f =
      run_tool("transcribe " + quoted(FOVEA_SOURCE_DIR "/samples/audio/hello.flac"), "FOVEA_DEVICE=foo ");
  CHECK(f.exit_code == 1);
  CHECK_MESSAGE(
      f.err.rfind("fovea: error: FOVEA_DEVICE: no Vulkan device's name contains \"foo\"; there ", 0) == 0,
      f.err);
}

TEST_CASE("tool: FOVEA_LOG is one of its four levels") {
  const Finished wrong = run_tool("devices", "FOVEA_LOG=zzz ");
  CHECK(wrong.exit_code == 1);
  CHECK(wrong.err == "fovea: error: FOVEA_LOG is \"zzz\"; expected error, warning, info or debug\n");
  for (const char *right : {"", "error", "warning"})
    CHECK(run_tool("devices", std::string("FOVEA_LOG=") + right + " ").exit_code == 0);
}
