// What a newcomer runs first: the demo's and the tests' scripts, in places and on systems that they were not
// written on.
#include "api/tool.h"

#include <unistd.h>

using namespace fovea::test;

namespace {

/// A folder of links to the programs of this system, but those named: what a PATH without them is.
void link_programs(const std::string &folder, const std::string &without) {
  const Finished f = run_command("mkdir -p " + quoted(folder) + " && cp -rs /usr/bin/. " + quoted(folder) +
                                 "/ 2>/dev/null; cd " + quoted(folder) + " && rm -rf " + without);
  REQUIRE(f.exit_code == 0);
}

Finished install_packages(const std::string &path, const std::string &os_release) {
  return run_command("PATH=" + quoted(path) + " FOVEA_OS_RELEASE=" + quoted(os_release) +
                     " '" FOVEA_SOURCE_DIR "/tests/install_packages' build test");
}

void write_program(const std::string &path, const std::string &line) {
  write_file(path, "#!/bin/sh\n" + line + "\n");
  std::filesystem::permissions(path, std::filesystem::perms::owner_all);
}

bool has(const std::string &text, const std::string &part) { return text.find(part) != std::string::npos; }

} // namespace

TEST_CASE("demo: help, and files that are not there") {
  const std::string demo = "cd / && '" FOVEA_SOURCE_DIR "/samples/demo' ";
  const Finished help = run_command(demo + "--help");
  CHECK(help.exit_code == 0);
  CHECK(help.out.rfind("demo [MODEL] [AUDIO...]: ", 0) == 0);
  for (const char *arguments : {"/nonexistent/model", "/dev/null /nonexistent/model"}) {
    const Finished f = run_command(demo + arguments);
    CHECK(f.exit_code == 1);
    CHECK(f.err == "demo: /nonexistent/model: no such file or folder\n");
  }
}

TEST_CASE("demo: what is no model is a recording; links, CDPATH and spaces in its path") {
  const TempFolder folder;
  const std::string root = std::filesystem::canonical(folder.path()).string(), clone = root + "/a clone";
  REQUIRE(run_command("cd " + quoted(root) +
                      " && mkdir -p 'a clone/samples/models' 'a clone/tests' 'a clone/build/release' "
                      "elsewhere/samples network && cp '" FOVEA_SOURCE_DIR
                      "/samples/demo' 'a clone/samples' && ln -s 'a clone/samples/demo' demo")
              .exit_code == 0);
  for (const char *name : {"install_packages", "configure", "build"})
    write_program(clone + "/tests/" + name, "exit 0");
  write_program(clone + "/build/release/fovea", "echo \"$*\"");
  const std::string bundled = clone + "/samples/models/speech-en.fovea.gguf";
  write_file(bundled, "GGUF");
  write_file(root + "/own model", "GGUF");
  write_file(root + "/weights.bin", "");
  write_file(root + "/talk.flac", "fLaC");
  const auto demo = [&](const std::string &arguments, const std::string &transcribed) {
    const Finished f = run_command("cd " + quoted(root) + " && XDG_CACHE_HOME=" + quoted(root + "/cache") +
                                   " ./demo " + arguments);
    CHECK_MESSAGE(f.exit_code == 0, f.err);
    CHECK_MESSAGE(has(f.err, root + "/a\\ clone/build/release/fovea transcribe talk.mp3\n"), f.err);
    CHECK(f.out == "transcribe " + transcribed + "\n");
  };
  const std::string converted = root + "/cache/fovea/models/";
  demo("talk.flac", bundled + " talk.flac");
  demo("talk.flac talk.flac", bundled + " talk.flac talk.flac");
  demo("speech-en talk.flac", bundled + " talk.flac");
  demo("'own model' talk.flac", root + "/own model talk.flac");
  demo("weights.bin talk.flac", converted + "weights.bin.fovea.gguf talk.flac");
  demo("network talk.flac", converted + "network.fovea.gguf talk.flac");

  const Finished f = run_command("cd " + quoted(clone) + " && CDPATH=" + quoted(root + "/elsewhere") +
                                 " samples/demo ../talk.flac");
  CHECK_MESSAGE(f.exit_code == 0, f.err);
  CHECK(f.out == "transcribe " + bundled + " ../talk.flac\n");
  CHECK_MESSAGE(has(f.err, " build/release/fovea transcribe talk.mp3\n"), f.err);
}

TEST_CASE("run: help, and a stage that does not exist") {
  const std::string run = "'" FOVEA_SOURCE_DIR "/tests/run' ";
  const Finished help = run_command(run + "--help");
  CHECK(help.exit_code == 0);
  CHECK(help.out.rfind("run [STAGE...]: ", 0) == 0);
  CHECK(has(help.out, "\n  sweep "));
  const Finished f = run_command(run + "tset");
  CHECK(f.exit_code == 2);
  CHECK(f.err == "run: tset: no such stage; there are: test sweep soak speech drivers sanitize threads fuzz\n");
}

TEST_CASE("packages: a system without apt is told what is missing, and goes on where nothing is") {
  const TempFolder folder;
  write_file(folder / "fedora", "ID=fedora\n");
  write_file(folder / "manjaro", "ID=manjaro\nID_LIKE=arch\n");
  write_file(folder / "plan9", "ID=plan9\n");
  const std::string whole = folder / "all programs", part = folder / "some programs";
  link_programs(whole, "apt-get");
  const Finished nothing = install_packages(whole, folder / "plan9");
  CHECK_MESSAGE(nothing.exit_code == 0, nothing.err);
  CHECK(nothing.err.empty());

  write_program(whole + "/ldconfig", "exit 1"); // as musl's, without a list
  const Finished no_list = install_packages(whole, folder / "plan9");
  CHECK_MESSAGE(no_list.exit_code == 0, no_list.err);

  link_programs(part, "apt-get cmake glslangValidator");
  const Finished fedora = install_packages(part, folder / "fedora");
  CHECK(fedora.exit_code == 1);
  CHECK_MESSAGE(has(fedora.err, "Install them: sudo dnf install cmake glslang\n"), fedora.err);
  CHECK(has(fedora.err, "Missing: cmake 3.25 or later, glslangValidator\n"));
  const Finished arch = install_packages(part, folder / "manjaro");
  CHECK(arch.exit_code == 1);
  CHECK_MESSAGE(has(arch.err, "Install them: sudo pacman -S --needed cmake glslang\n"), arch.err);
  for (const char *file : {"plan9", "no such file"}) {
    const Finished unknown = install_packages(part, folder / file);
    CHECK(unknown.exit_code == 1);
    for (const char *line : {"Debian, Ubuntu: cmake glslang-tools\n", "Fedora:         cmake glslang\n",
                             "Arch:           cmake glslang\n", "Homebrew: cmake glslang (MoltenVK"})
      CHECK_MESSAGE(has(unknown.err, line), unknown.err);
  }
}

TEST_CASE("packages: an old CMake is not one, and apt that cannot install says so") {
  const TempFolder folder;
  const std::string path = folder / "bin";
  link_programs(path, "apt-get cmake sudo");
  write_file(folder / "debian", "ID=debian\n");
  write_program(path + "/cmake", "echo cmake version 3.22.1");
  write_program(path + "/apt-get", "echo 'E: no network' >&2; exit 100");
  write_program(path + "/sudo", "exec \"$@\"");
  const Finished f = install_packages(path, folder / "debian");
  CHECK(f.exit_code == 1);
  for (const char *line :
       {"Installing Debian packages (apt-get install --no-install-recommends): cmake\n", "E: no network\n",
        "Missing: cmake 3.25 or later\n", "sudo apt-get install cmake\n"})
    CHECK_MESSAGE(has(f.err, line), f.err);

  // A release that has no newer one: to install it once more would not help.
  write_program(path + "/apt-get", "exit 0");
  const Finished old = install_packages(path, folder / "debian");
  CHECK(old.exit_code == 1);
  CHECK_FALSE(has(old.err, "sudo apt-get install"));
  for (const char *line :
       {"Missing: cmake 3.25 or later\n", "/cmake is 3.22.1. Use Debian 12, Ubuntu 24.04 or newer",
        "https://cmake.org/download"})
    CHECK_MESSAGE(has(old.err, line), old.err);
}

TEST_CASE("configure: a build folder that was copied here, or made with another generator, is begun anew") {
  const TempFolder folder;
  const std::string here = folder / "a clone", there = folder / "its copy";
  REQUIRE(
      run_command("mkdir " + quoted(here) +
                  " && cd '" FOVEA_SOURCE_DIR
                  "' && cp -r CMakeLists.txt CMakePresets.json CHANGELOG.md cmake runtime shaders converter "
                  "samples tests " +
                  quoted(here))
          .exit_code == 0);
  const auto configure = [](const std::string &clone, bool anew) {
    const Finished f =
        run_command("cd / && " + quoted(clone + "/tests/configure") + " release -DFOVEA_BUILD_TESTS=OFF");
    CHECK_MESSAGE(f.exit_code == 0, f.err);
    CHECK(has(f.err, "configuring it anew") == anew);
    const std::string cache = read_file(clone + "/build/release/CMakeCache.txt");
    CHECK(has(cache, "CMAKE_HOME_DIRECTORY:INTERNAL=" + clone + "\n"));
    CHECK(has(cache, "CMAKE_GENERATOR:INTERNAL=Ninja\n"));
  };
  REQUIRE(run_command("cmake -S " + quoted(here) + " -B " + quoted(here + "/build/release") +
                      " -G 'Unix Makefiles' -DFOVEA_BUILD_TESTS=OFF -DFOVEA_SANITIZE=address")
              .exit_code == 0);
  configure(here, true);
  CHECK_FALSE(has(read_file(here + "/build/release/CMakeCache.txt"), "FOVEA_SANITIZE:STRING=address"));
  configure(here, false);
  REQUIRE(run_command("cp -r " + quoted(here) + " " + quoted(there)).exit_code == 0);
  configure(there, true);
  // What is wrong with the sources themselves is said, and is an error.
  write_file(here + "/CMakeLists.txt", "message(FATAL_ERROR \"broken here\")\n");
  const Finished broken = run_command(quoted(here + "/tests/configure") + " release");
  CHECK(broken.exit_code == 1);
  CHECK(has(broken.err, "broken here"));
  CHECK_FALSE(has(broken.err, "configuring it anew"));
}

TEST_CASE("configure: a build folder of another user, and how to get it back") {
  const TempFolder folder;
  const std::string clone = folder / "a clone";
  REQUIRE(run_command("cd " + quoted(folder.path()) +
                      " && mkdir -p 'a clone/tests' 'a clone/build' && cp '" FOVEA_SOURCE_DIR
                      "/tests/configure' 'a clone/tests' && chmod -R a+rX . && chmod 555 'a clone/build'")
              .exit_code == 0);
  const char *user =
      ::geteuid() == 0 ? "setpriv --reuid 65534 --regid 65534 --clear-groups " : ""; // not root
  const Finished f = run_command(user + quoted(clone + "/tests/configure") + " release");
  CHECK(f.exit_code == 1);
  for (const char *part : {"/a clone/build cannot be written to (owned by ", ": sudo chown -R ",
                           ": sudo rm -rf ", "/a\\ clone/build\n"})
    CHECK_MESSAGE(has(f.err, part), f.err);
}
