// The command-line tool against bad files, full disks, small devices and kills, as a user meets them: one
// line that names the file and the fault, exit code 1, nothing written, nothing left behind.
#include "api/process.h"
#include "converter/sources/formats.h"
#include "converter/sources/source.h"
#include "support/shared_folder.h"
#include "support/source_files.h"
#include "support/tiny_speech_model.h"

#include <chrono>
#include <cmath>
#include <csignal>
#include <doctest/doctest.h>
#include <limits>
#include <map>
#include <sys/mount.h>

using namespace fovea;
using namespace fovea::test;

namespace {

const std::string kTool = "'" FOVEA_TOOL "' ";

/// Names and contents of the files in `folder`, folders too.
std::map<std::string, std::string> contents(const std::string &folder) {
  std::map<std::string, std::string> out;
  for (const auto &entry : std::filesystem::recursive_directory_iterator(folder))
    out[entry.path().string()] = entry.is_regular_file() ? read_file(entry.path().string()) : "";
  return out;
}

/// `command` (for the shell) fails with exit code 1 and one line that has every one of `parts`, and leaves
/// `folder` as it was.
void check_fault(const std::string &folder, const std::string &command,
                 const std::vector<std::string> &parts) {
  CAPTURE(command);
  const auto before = contents(folder);
  const Finished f = run_command(command);
  CAPTURE(f.err);
  CHECK(f.exit_code == 1);
  CHECK(f.err.rfind("fovea: error: ", 0) == 0);
  CHECK(f.err.find('\n') == f.err.size() - 1);
  for (const std::string &part : parts)
    CHECK_MESSAGE(f.err.find(part) != std::string::npos, part, " is not in ", f.err);
  CHECK(f.out.empty());
  CHECK(contents(folder) == before);
}

/// `command`, sent `signal` so many seconds after it began to catch signals (bit 14 is SIGTERM).
std::string ended_after(const std::string &command, const std::string &seconds, int signal) {
  return command + R"( & p=$!
for i in $(seq 1000); do
  c=$(sed -n 's/^SigCgt:[^0-9a-f]*/0x/p' /proc/$p/status) && [ $((c & 0x4000)) -ne 0 ] && break; sleep 0.01; done
sleep )" +
         seconds + "; kill -" + std::to_string(signal) + " $p; wait $p";
}

/// Mono, 32-bit float, 16 kHz.
std::string wav(const std::vector<float> &samples) {
  const std::string data = raw(samples);
  return "RIFF" + raw(uint32_t(36 + data.size())) + "WAVEfmt " + raw(uint32_t(16)) + raw(uint16_t(3)) +
         raw(uint16_t(1)) + raw(uint32_t(16000)) + raw(uint32_t(64000)) + raw(uint16_t(4)) +
         raw(uint16_t(32)) + "data" + raw(uint32_t(data.size())) + data;
}

std::vector<float> tone(size_t n) {
  std::vector<float> samples(n);
  for (size_t i = 0; i < n; ++i) samples[i] = 0.3f * std::sin(float(i) * 0.07f);
  return samples;
}

struct Speech {
  Speech() {
    write_tiny_speech_model(model, {});
    write_file(good, wav(tone(16000)));
    const auto two = std::vector<int32_t>{41, 5};
    write_file(inputs, safetensors({f32_tensor("samples", {8000}, tone(8000)),
                                    {"decoder_tokens", "I32", {2}, raw(two)}}));
  }
  TempFolder folder, elsewhere; // what commands may write to; what they read
  std::string model = elsewhere / "tiny.gguf", good = elsewhere / "good.wav",
              inputs = elsewhere / "in.safetensors";
  std::string out = folder / "out";

  std::string transcribe(const std::string &audio) const {
    return kTool + "transcribe -q " + quoted(model) + " " + quoted(audio) + " ";
  }
  std::string run() const {
    return kTool + "run " + quoted(model) + " --in " + quoted(inputs) + " --out " + quoted(out);
  }
};

/// The golden cases' Whisper as a folder of its own, its tensors edited.
void write_source(const std::string &from, const std::string &to,
                  const std::function<void(std::vector<RawTensor> &)> &edit) {
  const Source source = open_source(from);
  std::vector<RawTensor> tensors;
  for (const SourceTensor &t : source.tensors())
    tensors.push_back(
        {t.name, "F32", {t.shape.dims().begin(), t.shape.dims().end()}, raw(source.read(t.name))});
  edit(tensors);
  std::filesystem::create_directories(to);
  for (const char *name : {"config.json", "generation_config.json"})
    write_file(to + "/" + name, read_file(from + "/" + name));
  write_file(to + "/model.safetensors", safetensors(tensors));
}

} // namespace

TEST_CASE("tool faults: sound that is none") {
  const Speech s;
  REQUIRE(run_command(s.transcribe(s.good)).exit_code == 0);
  const auto bad = [&](const std::string &name, const std::string &bytes) {
    write_file(s.elsewhere / name, bytes);
    return s.elsewhere / name;
  };
  std::vector<float> samples = tone(16000);
  samples[8000] = std::numeric_limits<float>::quiet_NaN();
  const std::string nan = bad("nan.wav", wav(samples));
  samples[8000] = INFINITY;
  const std::string infinite = bad("inf.wav", wav(samples));
  const std::pair<std::string, std::string> cases[] = {
      {bad("no_bytes.wav", ""), "empty"},
      {bad("no_samples.wav", wav({})), "no samples"},
      {bad("text.wav", "not sound, whatever its name says"), "cannot be read as audio"},
      {s.elsewhere / "absent.wav", "No such file"},
      {nan, "0.5"},
      {infinite, "0.5"},
      {s.model, "cannot be read as audio"}};
  for (const auto &[path, what] : cases) {
    check_fault(s.folder.path(), s.transcribe(path), {path, what});
    check_fault(s.folder.path(), s.transcribe(path) + "-o " + quoted(s.out), {path, what});
    check_fault(s.folder.path(), s.transcribe(path) + "-f json -o " + quoted(s.folder / "new/folder/"),
                {path, what});
  }
  check_fault(s.folder.path(), s.transcribe("-") + "</dev/null", {"standard input"});
  // The others of several are done.
  const Finished f =
      run_command(s.transcribe(nan) + quoted(s.good) + " -o " + quoted(s.folder / "new/folder/"));
  CHECK(f.exit_code == 1);
  CHECK(contents(s.folder / "new/folder").count(s.folder / "new/folder/good.txt") == 1);
  CHECK(contents(s.folder / "new/folder").size() == 1);
}

TEST_CASE("tool faults: a damaged weight is found by every command that uses it, unless told not to look") {
  const Speech s;
  std::string bytes = read_file(s.model);
  bytes[bytes.size() / 2] = char(bytes[bytes.size() / 2] ^ 4);
  write_file(s.model, bytes);
  const std::string bench = kTool + "bench --runs 1 " + quoted(s.model);
  for (const std::string &command : {s.run(), s.transcribe(s.good) + "-o " + quoted(s.out), bench}) {
    check_fault(s.folder.path(), command, {s.model, "checksum", "convert or download it again"});
    CHECK(run_command(command + " --no-verify").exit_code == 0);
    std::filesystem::remove(s.out);
  }
  check_fault(s.folder.path(), kTool + "inspect --verify " + quoted(s.model), {s.model, "checksum"});
  CHECK(run_command(kTool + "inspect " + quoted(s.model)).exit_code == 0); // looks at no weights
}

TEST_CASE("tool faults: a model whose graphs want a tensor that is missing or of another shape") {
  const Speech s;
  const auto model_with = [&](const std::string &tensor) {
    TinySpeechModel what;
    what.edit_graphs = [&](std::map<std::string, std::string> &graphs) {
      std::string &text = graphs.at("encode");
      const std::string name = "enc.1.fc1.w";
      text.replace(text.find(name), name.size(), tensor);
    };
    write_tiny_speech_model(s.model, what);
  };
  const auto each = [&](const std::vector<std::string> &parts) {
    check_fault(s.folder.path(), s.run(), parts);
    check_fault(s.folder.path(), s.transcribe(s.good) + "-o " + quoted(s.out), parts);
    check_fault(s.folder.path(), kTool + "inspect --plan encode " + quoted(s.model), parts);
  };
  model_with("enc.1.absent.w");
  each({s.model, "encode", "enc.1.absent.w"});
  model_with("enc.1.fc2.w"); // the second matrix of the layer in place of the first
  each({s.model, "encode", "enc.1.fc2.w", "[32, 64]"});
}

TEST_CASE("tool faults: a line break and an escape sequence in a model's strings stay inside the one line") {
  const Speech s;
  TinySpeechModel what;
  what.edit_metadata = [](Metadata &m) { m["tokenizer.ggml.model"] = std::string("g\n\x1b[31mt2"); };
  write_tiny_speech_model(s.model, what);
  check_fault(s.folder.path(), s.transcribe(s.good), {s.model, "'g\\n\\x1b[31mt2'"});
}

TEST_CASE("tool faults: no device, and one with too little memory") {
  const Speech s;
  write_file(s.out, "old");
  const auto each = [&](const std::string &environment, const std::vector<std::string> &parts) {
    check_fault(s.folder.path(), environment + s.run(), parts);
    check_fault(s.folder.path(), environment + s.transcribe(s.good) + "-o " + quoted(s.out), parts);
  };
  each("VK_DRIVER_FILES=/nonexistent.json VK_ICD_FILENAMES=/nonexistent.json ", {"mesa-vulkan-drivers"});
  each("FOVEA_VULKAN_LIBRARY=/nonexistent.so ", {"libvulkan1"});
  each("FOVEA_DEVICE_MEMORY=1K ", {s.model, "bytes of device memory needed", "of 1024 left"});
  each("FOVEA_DEVICE_MEMORY=lots ", {"FOVEA_DEVICE_MEMORY is 'lots'", "512M"});
  CHECK(run_command("FOVEA_DEVICE_MEMORY=1G " + s.run()).exit_code == 0);
}

TEST_CASE("tool faults: sources with a tensor missing, misshaped, unexpected or cut off") {
  const std::string golden = shared_path("golden/cases/whisper");
  if (golden.empty()) return;
  const TempFolder folder, elsewhere;
  const std::string source = elsewhere / "source", out = folder / "out";
  const std::string convert = kTool + "convert " + quoted(source) + " -o " + quoted(out);
  const auto edited = [&](const std::function<void(std::vector<RawTensor> &)> &edit) {
    write_source(golden, source, edit);
  };
  const auto find = [](std::vector<RawTensor> &tensors, const std::string &end) {
    return std::find_if(tensors.begin(), tensors.end(),
                        [&](const RawTensor &t) { return t.name.ends_with(end); });
  };
  write_file(out, "old");
  std::string name;
  edited([&](auto &tensors) {
    const auto t = find(tensors, "layers.0.fc1.weight");
    name = t->name;
    tensors.erase(t);
  });
  check_fault(folder.path(), convert, {source, name, "missing"});
  edited([&](auto &tensors) {
    std::swap(find(tensors, "layers.0.fc1.weight")->shape[0], find(tensors, "layers.0.fc1.weight")->shape[1]);
  });
  check_fault(folder.path(), convert, {source, name, "expected"});
  edited([&](auto &tensors) { tensors.push_back(f32_tensor("model.surprise", {2}, {1, 2})); });
  check_fault(folder.path(), convert, {source, "model.surprise", "not expected"});
  edited([&](auto &) {});
  const std::string weights = source + "/model.safetensors", whole = read_file(weights);
  for (const size_t size : {size_t(0), size_t(7), size_t(100), whole.size() / 2, whole.size() - 1}) {
    write_file(weights, whole.substr(0, size));
    check_fault(folder.path(), convert, {weights});
  }
  write_file(weights, whole);
  CHECK(run_command(convert).exit_code == 0);
}

TEST_CASE("tool faults: a full disk, and files that may not grow") {
  const Speech s;
  const std::string golden = shared_path("golden/cases/whisper");
  const std::string transcribe = s.transcribe(s.good) + "-f json -o " + quoted(s.out);
  const std::string convert =
      golden.empty() ? "" : kTool + "convert " + quoted(golden) + " -o " + quoted(s.out);
  // Kernels have been tried before: what a trial cannot write is a warning.
  REQUIRE(run_command(s.run()).exit_code == 0);
  REQUIRE(run_command(s.transcribe(s.good)).exit_code == 0);
  // The shell's own redirections must not be cut off: they go through a pipe.
  const auto limited = [](const std::string &command) {
    return "e=$( (ulimit -f 0; " + command + ") 2>&1 >/dev/null); r=$?; echo \"$e\" >&2; exit $r";
  };
  // Drivers whose memory are files (llvmpipe of Mesa 24 and later) end with SIGBUS whatever is written.
  const bool has_memory = run_command(limited(s.transcribe(s.good))).exit_code != 128 + SIGBUS;
  if (!has_memory) MESSAGE("skipped: where files may not grow, this driver has no memory");
  if (has_memory) { // a trial that cannot write says why, and what was asked for is done
    const TempFolder cold;
    const Finished f =
        run_command(limited("FOVEA_CACHE_DIR=" + quoted(cold.path()) + " " + s.transcribe(s.good)));
    CAPTURE(f.err);
    CHECK(f.exit_code == 0);
    CHECK(f.err.find("cannot check kernels: " + cold.path()) != std::string::npos);
    CHECK(f.err.find("cannot write: File too large") != std::string::npos);
  }
  for (const char *old : {"", "old"}) {
    std::filesystem::remove(s.out);
    if (*old) write_file(s.out, old);
    for (const std::string &command : {has_memory ? s.run() : "", has_memory ? transcribe : "", convert})
      if (!command.empty()) check_fault(s.folder.path(), limited(command), {s.out, "File too large"});
  }
  check_fault(s.folder.path(), s.transcribe(s.good) + "-f json -o /dev/full", {"/dev/full", "No space left"});
  check_fault(s.folder.path(), s.transcribe(s.good) + "-f json >/dev/full",
              {"standard output", "No space left"});

  const TempFolder small;
  if (::mount("fovea", small.path().c_str(), "tmpfs", 0, "size=8k") != 0) {
    MESSAGE("skipped: a small file system needs root to mount");
    return;
  }
  const std::string out = small / "out";
  write_file(out, std::string(4096, 'x'));
  check_fault(small.path(),
              kTool + "run " + quoted(s.model) + " --in " + quoted(s.inputs) + " --out " + quoted(out),
              {out, "No space left"});
  if (!golden.empty())
    check_fault(small.path(), kTool + "convert " + quoted(golden) + " -o " + quoted(out),
                {out, "the disk has"});
  ::umount(small.path().c_str());
}

TEST_CASE("tool faults: interrupted, terminated or killed, nothing stays behind") {
  const Speech s;
  // `whole`: what the command writes when nothing ends it; "": it cannot come so far.
  const auto check = [&](const std::string &command, const std::string &delay, int signal,
                         const std::string &whole) {
    write_file(s.out, "old");
    const Finished f = run_command(ended_after(command, delay, signal));
    CAPTURE(command);
    CAPTURE(delay);
    CAPTURE(signal);
    CAPTURE(f.err);
    CHECK(s.folder.n_files() == 1);
    if (f.exit_code == 0) return true; // it was faster
    CHECK(f.exit_code == 128 + signal);
    const std::string now = read_file(s.out);
    CHECK((now == "old" || (!whole.empty() && now == whole))); // a signal may come after the renaming
    if (signal != 9) CHECK(f.err == "fovea: error: interrupted\n");
    return false;
  };
  constexpr int kSignals[] = {2, 15, 9};
  if (const std::string source = shared_path("models/whisper-tiny.en"); !source.empty()) {
    const std::string convert =
        kTool + "convert --encoding q4 --threads 1 " + quoted(source) + " -o " + quoted(s.out);
    const auto start = std::chrono::steady_clock::now();
    REQUIRE(run_command(convert).exit_code == 0);
    const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
    const std::string whole = read_file(s.out);
    int n_ended = 0;
    for (const int signal : kSignals)
      for (const double part : {0.3, 0.7, 0.95})
        n_ended += !check(convert, concat(part * seconds), signal, whole);
    CHECK(n_ended > 0);
  }
  // Five minutes, which the tiny model takes in windows of half a second.
  const std::string lasting = s.elsewhere / "long.wav";
  write_file(lasting, wav(tone(300 * 16000)));
  for (const int signal : kSignals) {
    CHECK_FALSE(check(s.transcribe(lasting) + "-o " + quoted(s.out), "1", signal, ""));
    std::filesystem::remove(s.out);
    const Finished f =
        run_command(ended_after(s.transcribe(lasting) + "-o " + quoted(s.folder / "new/"), "1", signal));
    CHECK(f.exit_code == 128 + signal);
    if (signal != 9)
      CHECK(s.folder.n_files() == 0);
    else
      CHECK((!std::filesystem::exists(s.folder / "new") || std::filesystem::is_empty(s.folder / "new")));
    std::filesystem::remove_all(s.folder / "new");
  }
}

TEST_CASE("tool faults: a signal that comes when the work is done changes nothing") {
  const Speech s;
  const Finished f = run_command(
      "ASAN_OPTIONS=$ASAN_OPTIONS:verify_asan_link_order=0 LD_PRELOAD=" FOVEA_ENDING_SIGNAL " " + s.run());
  CAPTURE(f.err);
  CHECK(f.exit_code == 0);
  CHECK(f.err.find("the signal was sent\n") != std::string::npos);
  CHECK(f.err.find("AddressSanitizer") == std::string::npos);
  CHECK(std::filesystem::exists(s.out));
}
