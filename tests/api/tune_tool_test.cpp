// fovea tune as users run it: a table appears, is used, and goes.
#include "api/tool.h"
#include "support/temp_folder.h"

#include <doctest/doctest.h>
#include <nlohmann/json.hpp>

using namespace fovea::test;

namespace {

std::vector<std::string> tables(const TempFolder &folder) {
  std::vector<std::string> found;
  for (const auto &entry : std::filesystem::directory_iterator(folder.path()))
    if (entry.path().filename().string().find("tuning-") == 0) found.push_back(entry.path().string());
  return found;
}

} // namespace

TEST_CASE("tool: tune stores a table, which --clear removes") {
  const std::string model = tool_model("golden/cases/lstm_attention"), vit = tool_model("golden/cases/vit");
  if (vit.empty()) return;
  const TempFolder folder;
  const std::string here = "FOVEA_CACHE_DIR=" + quoted(folder.path()) + " ";
  const Finished tuned = run_tool("tune --json " + vit, here);
  REQUIRE_MESSAGE(tuned.exit_code == 0, tuned.err);
  const auto reports = nlohmann::json::parse(tuned.out);
  REQUIRE(reports.size() == 1);
  CHECK(reports[0]["choices"].size() > 3);
  for (const auto &choice : reports[0]["choices"]) {
    CHECK(choice["default_us"].get<double>() > 0);
    for (const auto &variant : choice["variants"]) CHECK_FALSE(variant.contains("fault"));
  }
  REQUIRE(tables(folder).size() == 1);
  CHECK(reports[0]["table"] == tables(folder)[0]);
  const std::string text = read_file(tables(folder)[0]);
  CHECK(text.find("fovea tuning 1\nkey ") == 0);
  CHECK(lines_of(text).size() == reports[0]["rows"].get<size_t>() + 4);
  // A damaged one is a warning, and nothing else.
  write_file(tables(folder)[0], text.substr(0, text.size() / 2));
  for (const std::string off : {"", " --no-tuning"}) {
    const Finished bench = run_tool("bench --runs 1 --json " + vit + off, here);
    CHECK(bench.exit_code == 0);
    CHECK((bench.err.find("run `fovea tune` to measure again") != std::string::npos) == off.empty());
  }
  CHECK(run_tool("tune --clear", here).exit_code == 0);
  CHECK(tables(folder).empty());
  CHECK(run_tool("tune --clear", here).exit_code == 0);
  const Finished no_task = run_tool("tune " + model, here);
  CHECK(no_task.exit_code == 1);
  CHECK(tables(folder).empty());
}

TEST_CASE("tool: tune's wrong command lines and environment") {
  check_tool_error("tune --clear --check", 2, "--clear removes the table");
  check_tool_error("tune --clear model.gguf", 2, "--clear removes the table");
  check_tool_error("tune no-such-file.gguf", 1, "no-such-file.gguf");
  const Finished f = run_tool("tune --check", "FOVEA_TUNING=maybe ");
  CHECK(f.exit_code == 1);
  CHECK(f.err.find("FOVEA_TUNING is 'maybe', expected 0, off, 1 or on") != std::string::npos);
}
