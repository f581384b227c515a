// The tool on a host that fails: every allocation and every system call of its own in turn, by a preloaded
// object (support/failing_host.cpp). Either the right result, or exit code 1 with one line and the old file;
// interrupted and short calls change nothing; a kill leaves the old file or the new one.
// FOVEA_FAULTS=transcribe: only faults whose names begin so; FOVEA_FAULTS_VERBOSE=1: tells each.
#include "api/process.h"
#include "base/error.h"
#include "support/share.h"
#include "support/shared_folder.h"
#include "support/source_files.h"
#include "support/tiny_speech_model.h"

#include <algorithm>
#include <cerrno>
#include <cmath>
#include <cstdlib>
#include <doctest/doctest.h>
#include <map>
#include <sstream>

using namespace fovea;
using namespace fovea::test;

namespace {

/// A second of a tone: mono, 32-bit float, 16 kHz.
std::string tone_wav() {
  std::vector<float> samples(16000);
  for (size_t i = 0; i < samples.size(); ++i) samples[i] = 0.3f * std::sin(float(i) * 0.07f);
  const std::string data = raw(samples);
  return "RIFF" + raw(uint32_t(36 + data.size())) + "WAVEfmt " + raw(uint32_t(16)) + raw(uint16_t(3)) +
         raw(uint16_t(1)) + raw(uint32_t(16000)) + raw(uint32_t(64000)) + raw(uint16_t(4)) +
         raw(uint16_t(32)) + "data" + raw(uint32_t(data.size())) + data;
}

struct Run {
  Finished finished;
  bool failed = false; // the fault has happened
  std::map<std::string, long> counts;
};

/// A command of the tool, and what it does when nothing fails.
class Subject {
public:
  /// `arguments` have OUT where the output's name belongs. `reads`: what it may complain about.
  Subject(std::string name, const std::string &arguments, std::vector<std::string> reads,
          const std::string &environment = "")
      : name_(std::move(name)), reads_(std::move(reads)),
        writes_(arguments.find("OUT") != std::string::npos) {
    std::string filled = arguments;
    if (writes_) filled.replace(filled.find("OUT"), 3, test::quoted(out_));
    environment_ = environment + "FOVEA_CACHE_DIR=" + quoted(cache_.path()) + " ";
    command_ = "'" FOVEA_TOOL "' " + filled;
    REQUIRE(run("path:0:0").finished.exit_code == 0); // caches on disk are warm from here on
    std::filesystem::remove(out_);
    clean_ = run("path:0:0");
    INFO(clean_.finished.err);
    REQUIRE(clean_.finished.exit_code == 0);
    if (writes_) whole_ = read_file(out_);
  }

  long count(const std::string &what) const { return clean_.counts.at(what); }

  /// Fails every `stride`-th call of `what`, beginning with `first`, in each way of `hows`.
  void fail_each(const std::string &what, const std::vector<std::string> &hows, long stride = 1,
                 long first = 1) {
    for (long k = first; k <= count(what); k += stride)
      for (const std::string &how : hows) fail_one(what, k, how);
    MESSAGE(name_, ", ", what, ": ", count(what), " in a run, ", n_faults_, " faults so far: ", n_errors_,
            " errors, ", n_right_, " right results, ", n_killed_, " kills");
  }

  void still_works() {
    std::filesystem::remove(out_);
    const Run after = run("path:0:0");
    CHECK(after.finished.exit_code == 0);
    if (writes_) CHECK(read_file(out_) == whole_);
  }

private:
  Run run(const std::string &fail) const {
    const std::string report = elsewhere_ / "report";
    std::filesystem::remove(report);
    Run r;
    r.finished = run_command("timeout -s ABRT 120 env " + environment_ + "FOVEA_HOST_FAIL=" + fail +
                             " FOVEA_HOST_REPORT=" + quoted(report) + " LD_PRELOAD=" FOVEA_FAILING_HOST " " +
                             command_);
    std::istringstream lines(read_file(report));
    for (std::string word; lines >> word;)
      if (word == "failed")
        r.failed = true;
      else
        lines >> r.counts[word];
    return r;
  }

  void fail_one(const std::string &what, long k, const std::string &how) {
    const std::string fault = concat(what, ":", k, ":", how);
    const char *const only = std::getenv("FOVEA_FAULTS");
    if (only && (name_ + " " + fault).rfind(only, 0) != 0) return;
    const std::string old = k % 2 ? "old" : "";
    std::filesystem::remove(out_);
    if (!old.empty()) write_file(out_, old);
    const Run r = run(fault);
    const Finished &f = r.finished;
    CAPTURE(name_);
    CAPTURE(fault);
    CAPTURE(f.err);
    CAPTURE(f.exit_code);
    if (std::getenv("FOVEA_FAULTS_VERBOSE")) MESSAGE(name_, " ", fault, ": ", f.exit_code, " ", f.err);
    if (!r.failed) return; // threads: fewer calls this time
    ++n_faults_;
    const bool kills = how.rfind("kill", 0) == 0;
    const std::string now = read_file(out_);
    if (writes_)
      CHECK_MESSAGE((now == old || now == whole_), "the output is neither the old file nor the new one");
    if (kills) {
      ++n_killed_;
      CHECK(f.exit_code == 128 + 9);
      check_leftovers();
      return;
    }
    if (writes_) CHECK(folder_.n_files() == (now.empty() ? 0 : 1));
    if (f.exit_code == 0) {
      ++n_right_;
      if (writes_)
        CHECK(now == whole_); // what convert says on standard output has times in it
      else
        CHECK(f.out == clean_.finished.out);
      return;
    }
    ++n_errors_;
    CHECK(f.exit_code == 1);
    const size_t error = f.err.find("fovea: error: ");
    CHECK(error != std::string::npos); // a warning of the converter may come first
    if (error == std::string::npos) return;
    CHECK(f.err.find('\n', error) == f.err.size() - 1);
    CHECK(how != "short");
    CHECK(how != std::to_string(EINTR));
    const auto tells = [&](const std::string &part) { return f.err.find(part, error) != std::string::npos; };
    if (what == "alloc" || what == "path")
      CHECK(tells("memory"));
    else
      CHECK((std::any_of(reads_.begin(), reads_.end(), tells) || tells(out_) || tells("standard output")));
  }

  /// A kill may leave what had a name beside the output, and nothing else.
  void check_leftovers() {
    for (const auto &entry : std::filesystem::directory_iterator(folder_.path())) {
      const std::string path = entry.path().string();
      CHECK((path == out_ || path.rfind(out_ + ".part-", 0) == 0));
      if (path != out_) std::filesystem::remove(path);
    }
  }

  TempFolder folder_, elsewhere_, cache_;
  std::string out_ = folder_ / "out", name_, command_, environment_, whole_;
  std::vector<std::string> reads_;
  bool writes_;
  Run clean_;
  long n_faults_ = 0, n_errors_ = 0, n_right_ = 0, n_killed_ = 0;
};

struct Speech {
  Speech() {
    write_tiny_speech_model(model, {});
    write_file(sound, tone_wav());
  }
  TempFolder folder;
  std::string model = folder / "tiny.gguf", sound = folder / "tone.wav";

  Subject transcribe() const {
    return {"transcribe", "transcribe -q " + quoted(model) + " " + quoted(sound) + " -o OUT", {model, sound}};
  }
  Subject inspect() const { return {"inspect", "inspect --verify " + quoted(model), {model}}; }
};

const std::string kEio = std::to_string(EIO), kFull = std::to_string(ENOSPC), kIntr = std::to_string(EINTR),
                  kNoMemory = std::to_string(ENOMEM);

/// Calls that may be interrupted or give less than wanted, and that may fail for good.
void fail_calls(Subject &s, long stride) {
  s.fail_each("open", {kIntr, kEio});
  s.fail_each("read", {kIntr, "short", kEio}, stride);
  s.fail_each("write", {kIntr, "short", kEio, kFull}, stride);
  s.fail_each("mmap", {kNoMemory});
  s.fail_each("ftruncate", {kIntr, kEio});
  s.fail_each("sync", {kIntr, kEio, kFull});
  s.fail_each("rename", {kEio, kFull});
  s.fail_each("link", {kEio, kFull});
  s.fail_each("close", {kIntr, kEio});
  s.still_works();
}

void kill_writes(Subject &s, long stride) {
  s.fail_each("write", {"kill", "killed"}, stride);
  for (const char *what : {"sync", "link", "rename", "close"}) s.fail_each(what, {"kill", "killed"});
  s.still_works();
}

std::string convert_arguments(const std::string &source) {
  return "convert --threads 1 " + quoted(source) + " -o OUT";
}

} // namespace

TEST_CASE("host faults: some allocations and system calls of the tool") {
  const Speech speech;
  Subject inspect = speech.inspect();
  inspect.fail_each("path", {kNoMemory}, std::max(1L, inspect.count("path") / 25));
  fail_calls(inspect, 8);
  Subject transcribe = speech.transcribe();
  transcribe.fail_each("path", {kNoMemory}, std::max(1L, transcribe.count("path") / 4));
  transcribe.fail_each("open", {kEio});
  if (const std::string source = shared_path("golden/cases/whisper"); !source.empty()) {
    Subject convert("convert", convert_arguments(source), {source});
    convert.fail_each("path", {kNoMemory}, std::max(1L, convert.count("path") / 40));
    fail_calls(convert, 16);
    kill_writes(convert, 16);
  }
}

TEST_CASE("host faults: allocations of convert and inspect, places that allocate in transcribe" *
          doctest::test_suite("sweep")) {
  const Speech speech;
  Subject inspect = speech.inspect();
  inspect.fail_each("alloc", {kNoMemory}, long(one_in(53)));
  inspect.still_works();
  Subject transcribe = speech.transcribe();
  transcribe.fail_each("path", {kNoMemory}, long(one_in(53)));
  transcribe.still_works();
  if (const std::string source = shared_path("golden/cases/whisper"); !source.empty()) {
    Subject convert("convert", convert_arguments(source), {source});
    convert.fail_each("alloc", {kNoMemory}, long(one_in(53)));
    convert.still_works();
  }
}

TEST_CASE("host faults: every system call of convert, inspect and transcribe, or a share" *
          doctest::test_suite("sweep")) {
  const Speech speech;
  Subject inspect = speech.inspect(), transcribe = speech.transcribe();
  fail_calls(inspect, long(one_in(5)));
  fail_calls(transcribe, long(one_in(5)));
  if (const std::string source = shared_path("golden/cases/whisper"); !source.empty())
    for (const char *environment : {"", "FOVEA_HOST_NO_TMPFILE=1 "}) {
      Subject convert("convert", convert_arguments(source), {source}, environment);
      fail_calls(convert, long(one_in(5)));
    }
}

TEST_CASE("host faults: convert killed in every write, or a share, sync, link and rename" *
          doctest::test_suite("sweep")) {
  const std::string source = shared_path("golden/cases/whisper");
  if (source.empty()) return;
  for (const char *environment : {"", "FOVEA_HOST_NO_TMPFILE=1 "}) {
    Subject convert("convert", convert_arguments(source), {source}, environment);
    kill_writes(convert, long(one_in(5)));
  }
}
