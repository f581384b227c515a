// The installed tree: a project outside the repository builds against it, through CMake and through
// pkg-config.
#include "api/process.h"

#include <doctest/doctest.h>

using namespace fovea::test;

namespace {

/// A shell in a folder that stays in the build folder: what has not changed is not built again.
class Shell {
public:
  Shell() { std::filesystem::create_directories(folder_); }
  Finished run(const std::string &command) const {
    return run_command(std::string("cd ").append(quoted(folder_)).append(" && ").append(command));
  }
  void require(const std::string &command) const {
    const Finished f = run(command);
    REQUIRE_MESSAGE(f.exit_code == 0, command, "\n", f.out, f.err);
  }

private:
  std::string folder_ = FOVEA_BINARY_DIR "/installed";
};

} // namespace

TEST_CASE("the installed package builds the samples and C and C++ programs, wherever it is moved") {
  if (std::string(FOVEA_SANITIZED) != "") {
    MESSAGE("skipped: libraries with sanitizers need programs with sanitizers");
    return;
  }
  const Shell shell;
  shell.require("rm -rf staged moved samples");
  shell.require("cmake --install '" FOVEA_BINARY_DIR "' --prefix \"$PWD/staged\" && mv staged moved");
  const Finished libraries = shell.run("ls moved/" FOVEA_INSTALL_LIBDIR);
  for (const char *name :
       {"libfovea.so.0", "libfovea_audio.so.0", "libfovea_image.so.0", "libfovea_convert.so.0"})
    CHECK(libraries.out.find(name) != std::string::npos);
  CHECK(libraries.out.find(".a\n") == std::string::npos);
  shell.require("moved/bin/fovea --version");

  // The samples, from a copy that has nothing of the repository around it.
  shell.require("cp -rp '" FOVEA_SOURCE_DIR "/samples' .");
  shell.require(
      "cmake -S samples -B build -DCMAKE_PREFIX_PATH=\"$PWD/moved\" -DCMAKE_BUILD_TYPE=Debug -G Ninja "
      "-DCMAKE_C_COMPILER=" FOVEA_C_COMPILER " -DCMAKE_CXX_COMPILER=" FOVEA_CXX_COMPILER);
  shell.require("cmake --build build");
  shell.require("build/fovea/fovea convert --help");
  CHECK(shell.run("build/embed_c/sample_transcribe_c").exit_code == 2); // usage
  const Finished cpp = shell.run("build/embed_cpp/sample_transcribe_cpp /nonexistent/model x.wav");
  CHECK(cpp.exit_code == 1);
  CHECK(cpp.err.find("error: ") == 0);

  // pkg-config and a plain compiler: C99, C++ with and without exceptions.
  const std::string pkg =
      "export PKG_CONFIG_PATH=\"$PWD/moved/" FOVEA_INSTALL_LIBDIR "/pkgconfig\" && "
      "flags=\"-Wall -Wextra -Wpedantic -Werror '-Wl,-rpath,$PWD/moved/" FOVEA_INSTALL_LIBDIR
      "' $(pkg-config --cflags --libs fovea fovea_audio fovea_image fovea_convert)\" && ";
  // What pkg-config writes is for a shell to read: spaces of a path have a backslash before them.
  const auto compile = [&](const std::string &command, const char *program) {
    shell.require(pkg + "eval \"" + command + " -o " + program + " $flags\" && ./" + program);
  };
  CHECK(shell.run(pkg + "pkg-config --modversion fovea").out == FOVEA_PROJECT_VERSION "\n");
  compile(FOVEA_C_COMPILER " -std=c99 '" FOVEA_SOURCE_DIR "/tests/api/client.c' -pthread", "client");
  // Every header, in C and in C++.
  shell.require("{ (cd moved/include && ls fovea/*.h | sed 's/.*/#include <&>/') && "
                "echo 'int main(void) { return fovea_version() ? 0 : 1; }'; } > headers.c");
  shell.require("{ (cd moved/include && ls fovea/*.hpp | sed 's/.*/#include <&>/') && "
                "echo 'int main() { return fovea::Model::open(\"/nonexistent\") ? 1 : 0; }'; } > plain.cpp");
  CHECK(shell.run("grep -c include headers.c plain.cpp").out.find(":0") == std::string::npos);
  compile(FOVEA_C_COMPILER " -std=c99 headers.c", "headers");
  compile(FOVEA_CXX_COMPILER " -std=c++17 -fno-exceptions plain.cpp", "plain");
  compile(FOVEA_CXX_COMPILER " -std=c++20 plain.cpp", "plain");
}
