// The command-line tool, run as users run it.
#include "api/process.h"
#include "samples/fovea/safetensors.h"
#include "support/shared_folder.h"

#include <doctest/doctest.h>
#include <nlohmann/json.hpp>

#include <cmath>
#include <cstring>

using namespace fovea::test;
using tool::OwnedTensor;

namespace {

Finished fovea_tool(const std::string &arguments) { return run_command("'" FOVEA_TOOL "' " + arguments); }

/// Exit code `code`, one line on stderr that says `what`, nothing on stdout.
void check_error(const std::string &arguments, int code, const std::string &what) {
  CAPTURE(arguments);
  const Finished f = fovea_tool(arguments);
  CAPTURE(f.err);
  CHECK(f.exit_code == code);
  CHECK(f.err.rfind("fovea: error: ", 0) == 0);
  CHECK(f.err.find('\n') == f.err.size() - 1);
  CHECK(f.err.find(what) != std::string::npos);
  CHECK(f.out.empty());
}

/// The small random model of the golden cases, converted once.
std::string golden_model(const std::string &encoding = "f32") {
  static const TempFolder folder;
  const std::string source = shared_path("golden/cases/whisper"), path = folder / (encoding + ".gguf");
  if (source.empty() || std::filesystem::exists(path)) return source.empty() ? "" : path;
  const Finished f =
      fovea_tool("convert " + quoted(source) + " -o " + quoted(path) + " --encoding " + encoding);
  REQUIRE_MESSAGE(f.exit_code == 0, f.err);
  return path;
}

std::vector<float> floats(const OwnedTensor &tensor) {
  std::vector<float> values(tensor.bytes.size() / 4);
  std::memcpy(values.data(), tensor.bytes.data(), tensor.bytes.size());
  return values;
}

const OwnedTensor &named(const std::vector<OwnedTensor> &tensors, const std::string &name) {
  for (const OwnedTensor &t : tensors)
    if (t.name == name) return t;
  FAIL("no tensor " << name);
  return tensors.front();
}

double nmse(const std::vector<float> &got, const std::vector<float> &want) {
  REQUIRE(got.size() == want.size());
  double error = 0, energy = 0;
  for (size_t i = 0; i < got.size(); ++i) {
    error += (double(got[i]) - want[i]) * (double(got[i]) - want[i]);
    energy += double(want[i]) * want[i];
  }
  return error / energy;
}

/// The golden tensors called PREFIX.name, as name.
std::vector<OwnedTensor> golden_tensors(const std::string &prefix) {
  std::vector<OwnedTensor> all =
                               tool::read_safetensors(shared_path("golden/cases/whisper/golden.safetensors")),
                           out;
  for (OwnedTensor &t : all)
    if (t.name.rfind(prefix, 0) == 0) {
      t.name = t.name.substr(prefix.size());
      out.push_back(std::move(t));
    }
  return out;
}

void save(const std::string &path, const std::vector<OwnedTensor> &tensors) {
  std::vector<fovea_tensor> views;
  for (const OwnedTensor &t : tensors) views.push_back(t.view());
  tool::write_safetensors(path, views);
}

} // namespace

TEST_CASE("tool: every command has help with an example") {
  const Finished help = fovea_tool("--help");
  CHECK(help.exit_code == 0);
  CHECK(help.err.empty());
  for (const char *name :
       {"FOVEA_DEVICE ", "FOVEA_DEVICE_MEMORY ", "FOVEA_VALIDATION", "FOVEA_LOG", "FOVEA_CACHE_DIR",
        "FOVEA_TUNING", "FOVEA_VULKAN_LIBRARY", "Exit code", "141", "143"})
    CHECK(help.out.find(name) != std::string::npos);
  for (const std::string command : {"convert", "inspect", "devices", "transcribe", "generate", "translate",
                                    "embed", "classify", "run", "bench", "tune"}) {
    CAPTURE(command);
    CHECK(help.out.find("  " + command + " ") != std::string::npos);
    const Finished f = fovea_tool(command + " --help");
    CHECK(f.exit_code == 0);
    CHECK(f.err.empty());
    CHECK(f.out.find("Example:\n  fovea " + command) != std::string::npos);
    const bool uses_weights = command != "convert" && command != "inspect" && command != "devices";
    CHECK((f.out.find("--no-verify") != std::string::npos) == uses_weights);
  }
  CHECK(fovea_tool("--version").out == std::string("fovea ") + fovea_version() + "\n");
}

TEST_CASE("tool: a wrong command line is one line and exit code 2") {
  check_error("", 2, "no command");
  check_error("frobnicate", 2, "frobnicate");
  check_error("transcribe", 2, "AUDIO");
  check_error("transcribe model", 1, "model: "); // a recording, for the bundled model
  check_error("transcribe model a.wav --format xml", 2, "xml");
  check_error("transcribe model a.wav --beam 0", 2, "--beam");
  check_error("transcribe model a.wav --beam many", 2, "--beam");
  check_error("transcribe model a.wav --no-speech-threshold x", 2, "--no-speech-threshold");
  check_error("transcribe model a.wav --bogus", 2, "--bogus");
  check_error("transcribe model a.wav b.wav --format srt", 2, "-o");
  check_error("transcribe model a.wav b.wav -o one.txt", 2, "folder");
  check_error("run model --in a", 2, "--out");
  check_error("run model --in a --out b --step pos", 2, "--step");
  check_error("run model --in a --out b --step pos=x", 2, "pos=x");
  check_error("convert", 2, "SOURCE");
  check_error("convert source --encoding q5", 2, "q5");
  check_error("bench model --runs 0", 2, "--runs");
}

TEST_CASE("tool: errors name the file, and nothing is written") {
  const TempFolder folder;
  const std::string out = quoted(folder / "out");
  check_error("inspect /nonexistent/model", 1, "/nonexistent/model");
  check_error("transcribe /nonexistent/model a.wav -o " + out, 1, "/nonexistent/model");
  check_error("bench /nonexistent/model", 1, "/nonexistent/model");
  check_error("convert /nonexistent/source -o " + out, 1, "/nonexistent/source");
  check_error("convert /nonexistent/source", 1, "/nonexistent/source");
  check_error("run /nonexistent/model --in /nonexistent/in --out " + out, 1, "/nonexistent/in");
  CHECK(folder.n_files() == 0);
  write_file(folder / "empty", "");
  write_file(folder / "text", "this is not a model, and not sound either");
  for (const std::string name : {"empty", "text"}) {
    const std::string path = folder / name;
    check_error("inspect " + quoted(path), 1, path);
    check_error("convert " + quoted(path) + " -o " + out, 1, path);
    check_error("run " + quoted(path) + " --in " + quoted(path) + " --out " + out, 1, path);
  }
  check_error("inspect " + quoted(folder.path()), 1, folder.path());
  CHECK(folder.n_files() == 2);
}

TEST_CASE("tool: without a Vulkan loader or driver it says what to install") {
  const Finished no_loader = run_command("FOVEA_VULKAN_LIBRARY=/nonexistent.so '" FOVEA_TOOL "' devices");
  CHECK(no_loader.exit_code == 1);
  CHECK(no_loader.err.find("libvulkan1") != std::string::npos);
  CHECK(no_loader.err.find('\n') == no_loader.err.size() - 1);
  const Finished no_driver =
      run_command("VK_DRIVER_FILES=/nonexistent.json VK_ICD_FILENAMES=/nonexistent.json "
                  "'" FOVEA_TOOL "' devices");
  CHECK(no_driver.exit_code == 1);
  CHECK(no_driver.err.find("mesa-vulkan-drivers") != std::string::npos);
  CHECK(no_driver.err.find('\n') == no_driver.err.size() - 1);
}

TEST_CASE("tool: devices") {
  const Finished text = fovea_tool("devices"), json = fovea_tool("devices --json");
  REQUIRE(text.exit_code == 0);
  REQUIRE(json.exit_code == 0);
  const auto devices = nlohmann::json::parse(json.out);
  REQUIRE(!devices.empty());
  size_t n_default = 0;
  for (const auto &device : devices) {
    CHECK(text.out.find(device.at("name").get<std::string>()) != std::string::npos);
    CHECK(device.at("usable").get<bool>() == device.at("rejected").get<std::string>().empty());
    n_default += device.at("default").get<bool>();
  }
  CHECK(n_default == 1);
}

TEST_CASE("tool: a speech model without a tokenizer says why it cannot be transcribed with") {
  const std::string model = golden_model();
  if (model.empty()) return;
  for (const std::string &command : {"transcribe " + quoted(model) + " a.wav", "bench " + quoted(model)})
    check_error(command, 1, "was converted without a tokenizer, so it can only be run as graphs");
}

TEST_CASE("tool: convert, inspect and run a golden model") {
  const std::string model = golden_model();
  if (model.empty()) return;
  const TempFolder folder;
  CHECK(fovea_tool("inspect " + quoted(model)).out.find("encode") != std::string::npos);
  CHECK(fovea_tool("inspect --verify " + quoted(model)).out.find("checksum  correct") != std::string::npos);
  CHECK(fovea_tool("inspect --graph encode " + quoted(model)).out.rfind("graph encode\n", 0) == 0);
  CHECK(fovea_tool("inspect --plan encode " + quoted(model)).out.find("linear_base_f32") !=
        std::string::npos);
  CHECK(fovea_tool("inspect --tensors " + quoted(model)).out.find("enc.conv1.w") != std::string::npos);
  CHECK(fovea_tool("inspect --metadata " + quoted(model)).out.find("fovea.run.graphs") != std::string::npos);
  check_error("inspect --graph nope " + quoted(model), 1, "nope");
  check_error("inspect --size T=2 " + quoted(model), 2, "--plan");

  std::vector<OwnedTensor> inputs = golden_tensors("input.");
  const std::vector<OwnedTensor> want = golden_tensors("output.");
  const std::string in = folder / "in", out = folder / "out";
  save(in, inputs);
  const Finished run = fovea_tool("run " + quoted(model) + " --in " + quoted(in) + " --out " + quoted(out));
  REQUIRE_MESSAGE(run.exit_code == 0, run.err);
  std::vector<OwnedTensor> got = tool::read_safetensors(out);
  for (const char *name : {"encoder", "logits"}) {
    CAPTURE(name);
    CHECK(nmse(floats(named(got, name)), floats(named(want, name))) < 1e-6);
  }

  // Tokens as I64, and the encoder's output given in place of its graph: the same logits.
  for (OwnedTensor &t : inputs) {
    if (t.name != "decoder_tokens") continue;
    std::vector<int32_t> ids(t.bytes.size() / 4);
    std::memcpy(ids.data(), t.bytes.data(), t.bytes.size());
    const std::vector<int64_t> wide(ids.begin(), ids.end());
    t.bytes.resize(wide.size() * 8);
    std::memcpy(t.bytes.data(), wide.data(), t.bytes.size());
    t.element = FOVEA_I64;
  }
  save(in, inputs);
  CHECK(fovea_tool("run " + quoted(model) + " --in " + quoted(in) + " --out " + quoted(out)).exit_code == 0);
  CHECK(floats(named(tool::read_safetensors(out), "logits")) == floats(named(got, "logits")));

  // NaN goes in and comes out; the run itself is fine.
  for (OwnedTensor &t : inputs)
    if (t.name == "features") std::memset(t.bytes.data(), 0xff, t.bytes.size());
  save(in, inputs);
  const Finished nan = fovea_tool("run " + quoted(model) + " --graph encode --profile --in " + quoted(in) +
                                  " --out " + quoted(out));
  // decoder_tokens is no input of encode
  CHECK(nan.exit_code == 1);
  CHECK(nan.err.find("decoder_tokens") != std::string::npos);
  inputs.erase(
      std::remove_if(inputs.begin(), inputs.end(), [](const auto &t) { return t.name != "features"; }),
      inputs.end());
  save(in, inputs);
  const Finished encoded = fovea_tool("run " + quoted(model) + " --graph encode --profile --in " +
                                      quoted(in) + " --out " + quoted(out));
  REQUIRE_MESSAGE(encoded.exit_code == 0, encoded.err);
  CHECK(encoded.out.find("linear") != std::string::npos); // the profile
  CHECK(std::isnan(floats(named(tool::read_safetensors(out), "encoder"))[0]));
  check_error("run " + quoted(model) + " --graph encode --step pos=3 --in " + quoted(in) + " --out " +
                  quoted(out),
              1, "no step is called 'pos'; the graph has no steps");
}

TEST_CASE("tool: run says what is wrong with its inputs, and leaves an old output alone") {
  const std::string model = golden_model();
  if (model.empty()) return;
  const TempFolder folder;
  const std::string in = folder / "in", out = folder / "out";
  write_file(out, "old");
  const std::string arguments = "run " + quoted(model) + " --in " + quoted(in) + " --out " + quoted(out);
  std::vector<OwnedTensor> inputs = golden_tensors("input.");
  save(in, {});
  check_error(arguments, 1, "features");
  std::vector<OwnedTensor> renamed = inputs;
  renamed[0].name = "nonsense";
  save(in, renamed);
  check_error(arguments, 1, "nonsense");
  std::vector<OwnedTensor> misshaped = inputs;
  for (OwnedTensor &t : misshaped)
    if (t.name == "features") std::swap(t.shape[1], t.shape[2]);
  save(in, misshaped);
  check_error(arguments, 1, "features");
  save(in, inputs);
  check_error(arguments + " --graph nope", 1, "nope");
  check_error(arguments + " --step nope=1", 1, "no step is called 'nope'; there is ");
  check_error(arguments + " --step pos=100000", 1, "pos");
  check_error(arguments + " --device nope", 1, "nope");
  CHECK(read_file(out) == "old");
  CHECK(folder.n_files() == 2);
}

TEST_CASE("tool: convert's default name, report and refusals") {
  const std::string source = shared_path("golden/cases/whisper");
  if (source.empty()) return;
  const TempFolder folder;
  const std::string here = "cd " + quoted(folder.path()) + " && '" FOVEA_TOOL "' ";
  const std::string absolute = std::filesystem::canonical(source).string();
  const Finished first = run_command(here + "convert --tensors --encoding q8 " + quoted(absolute));
  REQUIRE_MESSAGE(first.exit_code == 0, first.err);
  CHECK(first.out.find("whisper-q8.fovea.gguf") != std::string::npos);
  CHECK(first.out.find("enc.conv1.w") != std::string::npos);
  CHECK(std::filesystem::exists(folder / "whisper-q8.fovea.gguf"));
  const Finished again = run_command(here + "convert --encoding q8 " + quoted(absolute));
  CHECK(again.exit_code == 1);
  CHECK(again.err.find("exists already") != std::string::npos);
  check_error("convert " + quoted(absolute) + " -o /nonexistent/folder/out", 1, "/nonexistent/folder/out");
  check_error("convert " + quoted(absolute) + " -o " + quoted(folder.path()), 1, folder.path());
  CHECK(folder.n_files() == 1);

  // A damaged file is refused, at every place it is cut.
  const std::string whole = read_file(folder / "whisper-q8.fovea.gguf"), cut = folder / "cut";
  for (const size_t size : {size_t(1), size_t(24), whole.size() / 3, whole.size() / 2, whole.size() - 1}) {
    write_file(cut, whole.substr(0, size));
    check_error("inspect " + quoted(cut), 1, cut);
    check_error("transcribe " + quoted(cut) + " a.wav", 1, cut);
  }
}

TEST_CASE("tool: transcribe writes every format, goes on after a bad file, and stops when interrupted") {
  const std::string source = shared_path("models/whisper-tiny.en"), clip = shared_path("audio/spk1_snt2.wav");
  if (source.empty() || clip.empty()) return;
  const TempFolder folder;
  const std::string model = folder / "model.gguf";
  REQUIRE(fovea_tool("convert " + quoted(source) + " -o " + quoted(model)).exit_code == 0);
  const std::string transcribe = "transcribe " + quoted(model) + " ";

  const Finished text = fovea_tool(transcribe + quoted(clip));
  REQUIRE_MESSAGE(text.exit_code == 0, text.err);
  CHECK(text.out.size() > 10);
  CHECK(text.err.find("real-time factor") != std::string::npos);

  const std::string bad = folder / "bad.wav", out = folder / "out/";
  write_file(bad, "RIFF but nothing that follows");
  const Finished several = fovea_tool(transcribe + quoted(bad) + " " + quoted(clip) + " - -f json -o " +
                                      quoted(out) + " <" + quoted(clip));
  CHECK(several.exit_code == 1);
  CHECK(several.err.find(bad) != std::string::npos);
  CHECK_FALSE(std::filesystem::exists(out + "bad.json"));
  CHECK(std::filesystem::exists(out + "stdin.json"));
  const auto json = nlohmann::json::parse(read_file(out + "spk1_snt2.json"));
  CHECK(json.at("language") == "en");
  CHECK(json.at("timings").at("real_time_factor").get<double>() > 0);
  std::string joined;
  for (const auto &segment : json.at("segments")) {
    CHECK(segment.at("end").get<double>() >= segment.at("start").get<double>());
    CHECK(!segment.at("tokens").empty());
    CHECK(segment.at("avg_logprob").get<double>() <= 0);
    joined += segment.at("text").get<std::string>();
  }
  CHECK(joined.find(json.at("text").get<std::string>()) != std::string::npos);
  CHECK(nlohmann::json::parse(read_file(out + "stdin.json")).at("text") == json.at("text"));

  const Finished vtt = fovea_tool(transcribe + quoted(clip) + " -f vtt -q");
  CHECK(vtt.out.rfind("WEBVTT\n\n", 0) == 0);
  CHECK(vtt.err.empty());
  CHECK(fovea_tool(transcribe + quoted(clip) + " -f srt -q").out.rfind("1\n00:00:", 0) == 0);
  check_error(transcribe + quoted(clip) + " --language xx", 1, "xx");
  check_error(transcribe + quoted(bad) + " -o " + quoted(folder / "none.txt"), 1, bad);
  CHECK_FALSE(std::filesystem::exists(folder / "none.txt"));
  CHECK(fovea_tool(transcribe + quoted(clip) + " >/dev/full").exit_code == 1);

  const std::string speech = shared_path("audio/two_cities_16k.wav");
  if (speech.empty()) return;
  // The first progress report is proof that it has begun; then Ctrl-C.
  const Finished interrupted =
      run_command("'" FOVEA_TOOL "' " + transcribe + quoted(speech) + " -o " + quoted(folder / "long.txt") +
                  " & p=$!; sleep 1.5; kill -INT $p; wait $p");
  CHECK(interrupted.exit_code == 130);
  CHECK(interrupted.err == "fovea: error: interrupted\n");
  CHECK_FALSE(std::filesystem::exists(folder / "long.txt"));
}
