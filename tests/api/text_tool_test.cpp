// The commands on texts, run as users run them.
#include "api/process.h"
#include "support/shared_folder.h"

#include <doctest/doctest.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <sstream>

using namespace fovea::test;

namespace {

Finished fovea_tool(const std::string &arguments, const std::string &before = "") {
  return run_command(std::string(before).append("'" FOVEA_TOOL "' ").append(arguments));
}

/// A model of ../shared, converted once; "" when it is not there.
std::string model(const std::string &name) {
  static const TempFolder folder;
  const std::string source = shared_path(name), path = folder / (name.substr(name.rfind('/') + 1) + ".gguf");
  if (source.empty() || std::filesystem::exists(path)) return source.empty() ? "" : quoted(path);
  const Finished f = fovea_tool("convert " + quoted(source) + " -o " + quoted(path) + " --encoding f32");
  REQUIRE_MESSAGE(f.exit_code == 0, f.err);
  return quoted(path);
}

std::vector<std::string> lines(const std::string &text) {
  std::vector<std::string> out;
  std::istringstream in(text);
  for (std::string line; std::getline(in, line);) out.push_back(line);
  return out;
}

void check_error(const std::string &arguments, int code, const std::string &what) {
  CAPTURE(arguments);
  const Finished f = fovea_tool(arguments);
  CHECK(f.exit_code == code);
  CHECK_MESSAGE(f.err.find(what) != std::string::npos, f.err);
  CHECK(f.out.empty());
}

} // namespace

TEST_CASE("tool: translate, of arguments, of lines and of token ids") {
  const std::string t5 = model("golden/cases/t5"), g2p = model("models/bart-g2p-us");
  if (t5.empty() || g2p.empty()) return;
  const Finished args =
      fovea_tool("translate " + t5 + " 'The quick brown fox' '' 'a lazy dog' --beams 4 --max-tokens 8");
  REQUIRE_MESSAGE(args.exit_code == 0, args.err);
  const Finished piped = fovea_tool("translate " + t5 + " - --beams 4 --max-tokens 8",
                                    "printf 'The quick brown fox\\r\\n\\na lazy dog' | ");
  CHECK(lines(args.out).size() == 3);
  CHECK(lines(args.out)[1].empty());
  CHECK(piped.out == args.out);

  const Finished json =
      fovea_tool("translate " + t5 + " 'The quick brown fox' --beams 4 --max-tokens 8 --json");
  const auto row = nlohmann::json::parse(json.out);
  CHECK(row["source"] == "The quick brown fox");
  CHECK(row["text"] == lines(args.out)[0]);
  CHECK(row["tokens"].size() <= 9);
  CHECK(row["score"].get<double>() < 0);

  const auto references = nlohmann::json::parse(read_file(shared_path("models/bart-g2p-us/references.json")));
  const auto join = [](const nlohmann::json &ids) {
    std::string text;
    for (const auto &id : ids) text.append(text.empty() ? "" : " ").append(std::to_string(id.get<int>()));
    return text;
  };
  std::string sources, want;
  for (const auto &[word, ids] : references["words"].items()) {
    sources.append(" ").append(quoted(join(ids["input_ids"])));
    want.append(join(ids["beam4"])).append("\n");
  }
  CHECK(fovea_tool("translate " + g2p + " --ids --beams 4 --early-stopping yes" + sources).out == want);

  check_error("translate " + g2p + " hello", 1, "no tokenizer");
  check_error("translate " + g2p + " --ids '1 x'", 2, "'1 x' is not a list of token ids");
  check_error("translate " + t5 + " a - b", 2, "standard input");
  check_error("translate " + t5 + " a --beams 0", 2, "--beams");
  check_error("translate " + t5 + " a --task summarization", 1, "no task 'summarization'");
  check_error("transcribe " + t5 + " a.wav", 1, "not a speech model");
  check_error("bench --profile " + t5, 1, "--profile transcribes, which this model does not");
  check_error("bench --audio a.wav " + t5, 2, "--audio is for --profile");
}

TEST_CASE("tool: bench of a text model, as a table and as JSON") {
  const std::string t5 = model("golden/cases/t5");
  if (t5.empty()) return;
  const Finished table = fovea_tool("bench --runs 1 " + t5);
  REQUIRE_MESSAGE(table.exit_code == 0, table.err);
  CHECK(table.out.find("\nstep at 8 ") != std::string::npos);
  CHECK(table.out.find(" tokens/s\n") != std::string::npos);
  const auto report = nlohmann::json::parse(fovea_tool("bench --runs 1 --json " + t5).out);
  CHECK(report["task"] == "translate");
  for (const auto &stage : report["stages"]) {
    CHECK(stage["unit"] == "tokens");
    CHECK(stage["items_per_s"].get<double>() ==
          doctest::Approx(stage["items"].get<double>() / stage["median_s"].get<double>()));
    CHECK_FALSE(stage.contains("kernels"));
    for (const char *key : {"best_s", "first_s", "cpu_s", "flops", "weight_bytes", "gflop_per_s", "gb_per_s"})
      CHECK_MESSAGE(stage[key].is_number(), key);
  }
}

TEST_CASE("tool: bench at the sizes that are asked for, and what the model adds to the process") {
  const std::string gpt2 = model("golden/cases/gpt2");
  if (gpt2.empty()) return;
  const auto report = nlohmann::json::parse(
      fovea_tool("bench --runs 1 --json --memory --prompt 1,33 --cache 0,7 " + gpt2).out);
  std::vector<std::string> names;
  for (const auto &stage : report["stages"]) names.push_back(stage["name"]);
  CHECK(names == std::vector<std::string>{"prefill 1", "prefill 33", "decode at 0", "decode at 7"});
  double flops = 0;
  for (const auto &op : report["stages"][1]["ops"]) flops += op["flops"].get<double>();
  CHECK(flops == report["stages"][1]["flops"].get<double>());
  const auto &memory = report["memory"];
  CHECK(memory["planned_bytes"].get<uint64_t>() > report["file_bytes"].get<uint64_t>());
  CHECK(memory["process_added_bytes"] > 0);
  CHECK(memory["process_added_bytes"] < report["peak_process_bytes"]);
  const std::string table = fovea_tool("bench --runs 1 --memory --prompt 5 --cache 6 " + gpt2).out;
  CHECK(table.find("\nprocess memory    ") != std::string::npos);
  check_error("bench --prompt 0 " + gpt2, 2, "--prompt");
  check_error("bench --prompt 1,x " + gpt2, 2, "--prompt");
  check_error("bench --seconds -1 " + gpt2, 2, "--seconds");
}

TEST_CASE("tool: bench of kernels, as a table and as JSON") {
  const std::string t5 = model("golden/cases/t5");
  if (t5.empty()) return;
  const Finished table = fovea_tool("bench --runs 1 --variants " + t5);
  REQUIRE_MESSAGE(table.exit_code == 0, table.err);
  for (const char *part : {"\nbounds measured   memory ", " GFLOP/s, a launch ", "\nclock  ",
                           "\nstep at 8: kernels by themselves ", "  linear ", " instead\n"})
    CHECK_MESSAGE(table.out.find(part) != std::string::npos, part);
  const auto report = nlohmann::json::parse(fovea_tool("bench --runs 1 --kernels --json " + t5).out);
  const auto &bounds = report["bounds"];
  for (const char *key : {"memory_gb_per_s", "gflop_per_s", "launch_us"}) CHECK_MESSAGE(bounds[key] > 0, key);
  CHECK(bounds["bandwidth"].back()["gb_per_s"] == bounds["memory_gb_per_s"]);
  for (const auto &stage : report["stages"]) {
    uint64_t n = 0;
    for (const auto &row : stage["kernels"]) {
      n += row["dispatches"].get<uint64_t>();
      for (const char *key :
           {"time_us", "best_us", "wall_us", "bytes", "gb_per_s", "bound_us", "part_of_bound", "share"})
        CHECK_MESSAGE(row[key] > 0, key);
      for (const char *key : {"op", "statement", "kernel", "shapes", "bound_by"})
        CHECK_MESSAGE(row[key].is_string(), key);
      CHECK(row["variants"].empty());
    }
    CHECK(n == stage["dispatches"].get<uint64_t>());
  }
}

TEST_CASE("tool: embed, as JSON and as numbers") {
  const std::string bert = model("golden/cases/bert");
  if (bert.empty()) return;
  const Finished json = fovea_tool("embed " + bert + " 'a lazy dog' ''");
  REQUIRE_MESSAGE(json.exit_code == 0, json.err);
  const Finished binary = fovea_tool("embed " + bert + " - -f f32", "printf 'a lazy dog\\n\\n' | ");
  REQUIRE(binary.out.size() == 2 * 64 * sizeof(float));
  for (size_t i = 0; i < 2; ++i) {
    const std::vector<float> want = nlohmann::json::parse(lines(json.out)[i])["embedding"];
    std::vector<float> got(64);
    std::memcpy(got.data(), binary.out.data() + i * 64 * sizeof(float), 64 * sizeof(float));
    REQUIRE(want.size() == 64);
    for (size_t d = 0; d < 64; ++d) CHECK(std::abs(got[d] - want[d]) < 1e-5f);
  }
  const TempFolder folder;
  CHECK(fovea_tool("embed " + bert + " 'a lazy dog' '' -o " + quoted(folder / "out.jsonl")).exit_code == 0);
  CHECK(read_file(folder / "out.jsonl") == json.out);
  const Finished cut = fovea_tool("embed " + bert + " \"$(printf 'word %.0s' $(seq 300))\"");
  CHECK(cut.exit_code == 0);
  CHECK(cut.err.find("more than 64 tokens") != std::string::npos);
  check_error("embed " + bert + " a --format csv", 2, "csv");
  if (const std::string t5 = model("golden/cases/t5"); !t5.empty())
    check_error("embed " + t5 + " a", 1, "not a model of embeddings");
}

TEST_CASE("tool: classify texts, the best labels first") {
  const std::string bert = model("golden/cases/bert_classifier");
  if (bert.empty()) return;
  const Finished plain = fovea_tool("classify " + bert + " 'a lazy dog' 'zzz' --top 2");
  REQUIRE_MESSAGE(plain.exit_code == 0, plain.err);
  REQUIRE(lines(plain.out).size() == 2);
  CHECK(std::count(plain.out.begin(), plain.out.end(), '\t') == 2);
  const Finished json = fovea_tool("classify " + bert + " - --json", "printf 'a lazy dog\\n' | ");
  const auto row = nlohmann::json::parse(json.out);
  REQUIRE(row["labels"].size() == 3);
  double sum = 0, last = 1;
  for (const auto &label : row["labels"]) {
    const double score = label["score"];
    CHECK(score <= last);
    last = score;
    sum += score;
  }
  CHECK(sum == doctest::Approx(1));
  CHECK(plain.out.find(row["labels"][0]["label"].get<std::string>() + " ") == 0);
}
