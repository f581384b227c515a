// What the shared libraries export and need, the C client, and the C++ wrapper.
#include "api/process.h"
#include "support/shared_folder.h"

#include <doctest/doctest.h>
#include <fovea/audio.hpp>
#include <fovea/classify.hpp>
#include <fovea/convert.hpp>
#include <fovea/embed.hpp>
#include <fovea/translate.hpp>

#include <algorithm>
#include <filesystem>
#include <set>
#include <sstream>

using namespace fovea::test;

namespace {

std::set<std::string> words_of_column(const std::string &text, size_t column) {
  std::set<std::string> words;
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);) {
    std::istringstream fields(line);
    std::string word;
    for (size_t i = 0; i <= column; ++i) fields >> word;
    words.insert(word);
  }
  return words;
}

/// Names of the functions that a header declares.
std::set<std::string> declared(const std::string &header) {
  std::set<std::string> names;
  const std::string text = read_file(FOVEA_SOURCE_DIR "/runtime/include/fovea/" + header);
  for (size_t at = 0; (at = text.find("FOVEA_API ", at)) != std::string::npos; ++at) {
    const size_t open = text.find('(', at);
    if (text.compare(at - 8, 8, "#define ") == 0) continue;
    const size_t begin = text.find_last_of(" *", open) + 1;
    names.insert(text.substr(begin, open - begin));
  }
  return names;
}

} // namespace

TEST_CASE("shared libraries export the functions of their headers and nothing else") {
  const std::pair<const char *, const char *> libraries[] = {{FOVEA_LIBRARY, "fovea.h"},
                                                             {FOVEA_AUDIO_LIBRARY, "audio.h"},
                                                             {FOVEA_IMAGE_LIBRARY, "image.h"},
                                                             {FOVEA_CONVERT_LIBRARY, "convert.h"}};
  for (const auto &pair : libraries) {
    const std::string library = pair.first, header = pair.second;
    CAPTURE(library);
    const Finished nm = run_command("nm -D --defined-only --format=posix " + quoted(library));
    REQUIRE(nm.exit_code == 0);
    const auto exported = words_of_column(nm.out, 0);
    auto wanted = declared(header);
    if (header ==
        "fovea.h") // the runtime has a header for each kind of task: all that are not another library's
      for (const auto &file :
           std::filesystem::directory_iterator(FOVEA_SOURCE_DIR "/runtime/include/fovea")) {
        const std::string name = file.path().filename().string();
        const auto is_name = [&](const auto &other) { return name == other.second; };
        if (file.path().extension() == ".h" &&
            std::none_of(std::begin(libraries), std::end(libraries), is_name))
          wanted.merge(declared(name));
      }
    CHECK(wanted.size() > 4);
    CHECK(exported == wanted);
  }
}

TEST_CASE("the runtime library needs no Vulkan, audio or JSON library to be linked") {
  const Finished needed = run_command("objdump -p '" FOVEA_LIBRARY "' | grep NEEDED");
  REQUIRE(needed.exit_code == 0);
  const auto libraries = words_of_column(needed.out, 1);
  const std::set<std::string> allowed = {
      "libpcre2-8.so.0", "libutf8proc.so.2", "libz.so.1",    "libstdc++.so.6",
      "libm.so.6",       "libgcc_s.so.1",    "libc.so.6",    "ld-linux-x86-64.so.2",
      "libdl.so.2",      "libpthread.so.0",  "libasan.so.8", "libubsan.so.1",
      "libtsan.so.2"};
  for (const std::string &library : libraries) {
    CAPTURE(library);
    CHECK(allowed.count(library) == 1);
  }
}

TEST_CASE("errors of a C program without data") {
  const Finished client = run_command("'" FOVEA_C_CLIENT "'");
  CHECK_MESSAGE(client.exit_code == 0, client.out, client.err);
}

TEST_CASE("a C program opens, inspects, runs, transcribes and cancels") {
  const std::string source = shared_path("models/whisper-tiny.en"),
                    audio = shared_path("audio/spk1_snt1.wav");
  if (source.empty() || audio.empty()) return;
  const TempFolder folder;
  const auto report = fovea::convert(source, folder / "model.gguf");
  REQUIRE_MESSAGE(report, report.message());
  CHECK(std::string(report->architecture()) == "whisper");
  CHECK(report->output_bytes() == std::filesystem::file_size(folder / "model.gguf"));
  for (size_t i = 0; i < report->n_tensors(); ++i) CHECK(report->tensor(i).relative_rms_error < 1e-3);
  const Finished client =
      run_command("'" FOVEA_C_CLIENT "' '" + (folder / "model.gguf") + "' '" + audio + "'");
  CHECK_MESSAGE(client.exit_code == 0, client.out, client.err);
}

TEST_CASE("the C++ wrapper gives results, throws when asked, and passes exceptions of callbacks on") {
  const auto missing = fovea::Model::open("/nonexistent/model");
  CHECK_FALSE(missing);
  CHECK(missing.status() == FOVEA_NOT_FOUND);
  CHECK(missing.message().find("/nonexistent/model") != std::string::npos);
  try {
    (void)fovea::Model::open("/nonexistent/model").value();
    FAIL("did not throw");
  } catch (const fovea::Error &e) {
    CHECK(e.status() == FOVEA_NOT_FOUND);
    CHECK(std::string(e.what()) == missing.message());
  }

  const std::string source = shared_path("golden/cases/whisper");
  if (source.empty()) return;
  const TempFolder folder;
  struct Own {};
  CHECK_THROWS_AS(
      (void)fovea::convert(source, folder / "model.gguf", {}, [](double, double) -> bool { throw Own(); }),
      Own);
  const auto cancelled =
      fovea::convert(source, folder / "model.gguf", {}, [](double, double) { return false; });
  CHECK(cancelled.status() == FOVEA_CANCELLED);
  CHECK(folder.n_files() == 0);
  fovea::ConvertOptions options;
  options.encoding = "q5";
  CHECK(fovea::convert(source, folder / "model.gguf", options).status() == FOVEA_INVALID_ARGUMENT);
  auto cancel = fovea::Cancel::create().value();
  cancel.request();
  options.encoding = "q8";
  options.cancel = cancel.get();
  CHECK(fovea::convert(source, folder / "model.gguf", options).status() == FOVEA_CANCELLED);
  CHECK(folder.n_files() == 0);
  cancel.reset();
  const auto report = fovea::convert(source, folder / "model.gguf", options);
  REQUIRE(report);
  REQUIRE(report->n_warnings() == 1); // the golden case has no tokenizer
  CHECK(std::string(report->warning(0)).find("has no tokenizer") != std::string::npos);
  CHECK(report->warning(1) == nullptr);
  CHECK(fovea_convert_report_warning_count(nullptr) == 0);

  const auto device = fovea::Device::open().value();
  std::optional<fovea::Session> session;
  {
    // A session keeps what it needs of its model.
    const auto model = fovea::Model::open(folder / "model.gguf").value();
    CHECK(model.n_tensors() > 0);
    session = fovea::Session::create(device, model).value();
  }
  CHECK(session->run({}).status() == FOVEA_INVALID_ARGUMENT);
  CHECK(session->memory()->scratch_bytes == 0);
  CHECK(session->profile().status() == FOVEA_UNSUPPORTED);
}

TEST_CASE("options: a damaged model is refused when first used unless it is trusted; memory is kept within a "
          "limit") {
  const std::string source = shared_path("golden/cases/whisper");
  if (source.empty()) return;
  const TempFolder folder;
  const std::string path = folder / "model.gguf";
  REQUIRE(fovea::convert(source, path));
  fovea::DeviceOptions small;
  small.memory_bytes = 4096;
  const auto model = fovea::Model::open(path).value();
  const auto full = fovea::Session::create(fovea::Device::open(small).value(), model);
  CHECK(full.status() == FOVEA_OUT_OF_MEMORY);
  CHECK_MESSAGE(full.message().rfind(path + ": ", 0) == 0, full.message());
  CHECK(full.message().find("4096 of 4096 left") != std::string::npos);

  std::string bytes = read_file(path);
  bytes[bytes.size() / 2] = char(bytes[bytes.size() / 2] ^ 1);
  write_file(path, bytes);
  const auto device = fovea::Device::open().value();
  const auto damaged = fovea::Model::open(path).value(); // looks at no weights
  for (int i = 0; i < 2; ++i) {                          // again, and not taken as verified
    const auto session = fovea::Session::create(device, damaged);
    CHECK(session.status() == FOVEA_INVALID_FILE);
    CHECK(session.message().find(path) != std::string::npos);
    CHECK(session.message().find("checksum") != std::string::npos);
  }

  fovea::ModelOptions trusting;
  CHECK(trusting.verify == 1);
  trusting.verify = 0;
  const auto trusted = fovea::Model::open(path, trusting).value();
  CHECK(fovea::Session::create(device, trusted).status() == FOVEA_OK);
  CHECK(fovea_model_verify(trusted.get()) == FOVEA_INVALID_FILE); // asked for, it looks all the same
  CHECK(fovea::BenchOptions().verify == 1);
}
