// fovea doctor as users run it, and what every command does with its verdicts.
#include "api/tool.h"
#include "support/temp_folder.h"

#include <doctest/doctest.h>
#include <nlohmann/json.hpp>

using namespace fovea::test;

namespace {

std::vector<std::string> verdicts_in(const TempFolder &folder) {
  std::vector<std::string> found;
  for (const auto &entry : std::filesystem::directory_iterator(folder.path()))
    if (entry.path().filename().string().find("verdicts-") == 0) found.push_back(entry.path().string());
  return found;
}

size_t count(const std::string &text, const std::string &what) {
  size_t n = 0;
  for (size_t at = 0; (at = text.find(what, at)) != std::string::npos; at += what.size()) ++n;
  return n;
}

} // namespace

TEST_CASE("tool: doctor tries the kernels of a model, and commands obey its verdicts") {
  const std::string vit = tool_model("golden/cases/vit");
  if (vit.empty()) return;
  const TempFolder folder;
  const std::string here = "FOVEA_CACHE_DIR=" + quoted(folder.path()) + " FOVEA_CHECK=child ";

  // A first use tries what it needs, and no more.
  const Finished first = run_tool("bench --runs 1 --json " + vit, here + "FOVEA_LOG=info ");
  REQUIRE_MESSAGE(first.exit_code == 0, first.err);
  CHECK(count(first.err, "once for this driver") >= 1);
  CHECK(count(first.err, "not checked") == 0);
  REQUIRE(verdicts_in(folder).size() == 1);
  const std::string path = verdicts_in(folder)[0], text = read_file(path);
  CHECK(text.find("fovea verdicts 1\nkey ") == 0);
  const size_t n_used = count(text, "\nright ");
  CHECK(n_used > 3);
  CHECK(count(text, "\nwrong ") == 0);
  const Finished second = run_tool("bench --runs 1 --json " + vit, here + "FOVEA_LOG=info ");
  CHECK(count(second.err, "once for this driver") == 0);

  // doctor tries the others, too.
  const Finished doctor = run_tool("doctor --quick --json " + vit, here);
  REQUIRE_MESSAGE(doctor.exit_code == 0, doctor.err);
  const auto report = nlohmann::json::parse(doctor.out).at(0);
  CHECK(report["tried"].get<size_t>() > n_used);
  CHECK(report["wrong"] == 0);
  CHECK(report["unknown"] == 0);
  CHECK(report["verdicts"] == path);
  for (const auto &row : report["rows"]) {
    CHECK(row["verdict"] == "right");
    CHECK(row["error"].get<double>() <= row["allowed"].get<double>());
  }
  CHECK(count(read_file(path), "\nright ") > n_used);

  // What was found wrong is not used, and a warning says so.
  std::string wrong = text;
  for (size_t at; (at = wrong.find("\nright ")) != std::string::npos;) {
    wrong.replace(at, 7, "\nwrong ");
    wrong.insert(wrong.find('\n', at + 1), " : a reason");
  }
  write_file(path, wrong);
  const Finished around = run_tool("bench --runs 1 --json " + vit, here);
  CHECK(count(around.err, "falling back from kernel") >= 1);
  CHECK(count(around.err, "a reason") >= 1);
  CHECK(run_tool("bench --runs 1 --json --no-check " + vit, here).err.empty());
  write_file(path, text.substr(0, text.size() / 2)); // damaged: a warning, and tried again
  CHECK(run_tool("bench --runs 1 --json " + vit, here).err.find("kernels are checked again") !=
        std::string::npos);
  CHECK(run_tool("doctor --clear", here).exit_code == 0);
  CHECK(verdicts_in(folder).empty());
}

TEST_CASE("tool: doctor's wrong command lines and environment") {
  check_tool_error("doctor --clear model.gguf", 2, "--clear forgets the verdicts");
  check_tool_error("doctor --all --device 0", 2, "--all takes no --device");
  check_tool_error("doctor no-such-file.gguf", 1, "no-such-file.gguf");
  const Finished f = run_tool("doctor", "FOVEA_CHECK=maybe ");
  CHECK(f.exit_code == 1);
  CHECK(f.err.find("FOVEA_CHECK is 'maybe', expected child, here or skip") != std::string::npos);
  // The child's side, without anybody to talk to.
  CHECK(run_tool("fovea-check </dev/null").exit_code == 1);
}
