// What a device cannot have given rightly is an error, and base kernels alone give what all of them do.
#include "api/tool.h"

#include <doctest/doctest.h>
#include <fovea/fovea.h>
#include <nlohmann/json.hpp>

using namespace fovea::test;

namespace {

/// A copy whose tensors are no numbers in the second half of the file.
std::string with_nan(const std::string &model, const TempFolder &folder) {
  std::string bytes = read_file(model.substr(1, model.size() - 2)); // it is quoted
  std::fill(bytes.begin() + std::ptrdiff_t(bytes.size() / 2), bytes.end(), '\xff');
  write_file(folder / "damaged.gguf", bytes);
  return quoted(folder / "damaged.gguf");
}

} // namespace

TEST_CASE("tool: weights that are no numbers end in an error, not in a result") {
  CHECK(std::string(fovea_status_name(FOVEA_WRONG_RESULT)) == "wrong result");
  for (const auto &[name, command, rest] :
       {std::tuple("llama", "generate", " -p a -n 4"), std::tuple("bert", "embed", " a"),
        std::tuple("marian", "translate", " a")}) {
    const std::string model = tool_model(std::string("golden/cases/") + name);
    if (model.empty()) return;
    const TempFolder folder;
    const Finished f =
        run_tool(std::string(command) + " --no-verify --no-check " + with_nan(model, folder) + rest);
    INFO(name, ": ", f.err);
    CHECK(f.exit_code == 1);
    CHECK(f.err.find("damaged.gguf: the device gave ") != std::string::npos);
    CHECK(f.err.find("which cannot be right") != std::string::npos);
    CHECK(f.err.find("--safe runs with base kernels only") != std::string::npos);
  }
}

TEST_CASE("tool: --safe and FOVEA_SAFE run base kernels only, with the same result") {
  const std::string llama = tool_model("golden/cases/llama"), vit = tool_model("golden/cases/vit");
  if (llama.empty()) return;
  const Finished usual = run_tool("generate --no-check " + llama + " -p a -n 12");
  REQUIRE_MESSAGE(usual.exit_code == 0, usual.err);
  CHECK(run_tool("generate --no-check --safe " + llama + " -p a -n 12").out == usual.out);
  CHECK(run_tool("generate --no-check " + llama + " -p a -n 12", "FOVEA_SAFE=1 ").out == usual.out);
  for (const std::string &model : {llama, vit}) {
    const Finished f = run_tool("verify --json --no-check --safe " + model);
    REQUIRE_MESSAGE(f.exit_code == 0, f.err);
    for (const auto &row : nlohmann::json::parse(f.out)["rows"])
      for (const std::string kernel : row["kernels"])
        for (const char *part : {"subgroup", "texel", "broadcast", "stream"})
          CHECK_MESSAGE(kernel.find(part) == std::string::npos, kernel);
  }
  const Finished wrong = run_tool("generate " + llama + " -p a", "FOVEA_SAFE=maybe ");
  CHECK(wrong.exit_code == 1);
  CHECK(wrong.err.find("FOVEA_SAFE is 'maybe', expected 0 or 1") != std::string::npos);
}
