// fovea verify as users run it.
#include "api/tool.h"

#include <doctest/doctest.h>
#include <nlohmann/json.hpp>
#include <set>

using namespace fovea::test;

namespace {

nlohmann::json report_of(const std::string &arguments) {
  const Finished f = run_tool("verify --json --no-check " + arguments);
  REQUIRE_MESSAGE(f.exit_code == 0, f.err);
  CHECK(f.err.empty());
  return nlohmann::json::parse(f.out);
}

} // namespace

TEST_CASE("tool: verify compares every statement of models of several kinds") {
  for (const char *name : {"vit", "whisper", "marian"}) {
    const std::string model = tool_model(std::string("golden/cases/") + name);
    if (model.empty()) return;
    INFO(name);
    const auto report = report_of(model);
    CHECK(report["wrong"] == 0);
    CHECK(report["unknown"] == 0);
    CHECK(report["inseparable"] == 0);
    CHECK(report["inputs_drawn"] == true);
    CHECK(report["kept"] == "");
    CHECK(report["compared"].get<size_t>() == report["rows"].size());
    CHECK(report["rows"].size() > 20);
    std::set<std::string> graphs;
    for (const auto &row : report["rows"]) {
      CHECK(row["verdict"] == "right");
      CHECK(row["error"].get<double>() <= row["allowed"].get<double>());
      CHECK(row["kernels"].size() > 0);
      graphs.insert(row["graph"]);
    }
    CHECK(graphs.size() >= 2);
  }
}

TEST_CASE("tool: verify with sizes, a device to compare with, and what is wrong with a command line") {
  const std::string vit = tool_model("golden/cases/vit");
  if (vit.empty()) return;
  const auto some = report_of("--graph forward --statements 3 --against 0 " + vit);
  CHECK(some["compared"] == 3);
  CHECK(some["left_out"].get<size_t>() > 5);
  CHECK(some["against"] == some["device"]);
  const Finished table = run_tool("verify --statements 2 --no-check " + vit);
  CHECK(table.exit_code == 0);
  CHECK(table.out.find("statements compared: 0 wrong, 0 not known; ") != std::string::npos);
  CHECK(table.out.find("left out (--statements)") != std::string::npos);
  check_tool_error("verify", 2, "MODEL");
  check_tool_error("verify no-such-file.gguf", 1, "no-such-file.gguf");
  check_tool_error("verify --graph nowhere " + vit, 1, "nowhere");
  check_tool_error("verify --step pos=3 " + vit, 1, "no step is called 'pos'");
  check_tool_error("verify --against nobody " + vit, 1, "nobody");
}
