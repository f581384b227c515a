// Files that verify kept, or that say they are such.
#include "tasks/verify.h"

#include "format/gguf_writer.h"
#include "support/op_case.h"
#include "support/temp_folder.h"

#include <doctest/doctest.h>

using namespace fovea;
using test::TempFolder;

namespace {

/// A file like those that verify keeps, around a case and a tensor.
std::string kept_file(const TempFolder &folder, const std::string &case_text, const std::string &graph) {
  const std::string path = folder / "kept.gguf";
  GgufWriter writer(path);
  writer.add("general.architecture", std::string("fovea"));
  writer.add("fovea.verify.case", case_text);
  writer.add_graph("extract", graph);
  writer.add_tensor("in.x0", {Shape{2, 3}, Encoding::F32});
  const std::vector<float> values{1, 2, 3, 4, 5, 6};
  writer.write(std::as_bytes(std::span(values)));
  writer.commit();
  return path;
}

std::string record(const std::string &key, const std::string &value) {
  return key + " " + std::to_string(value.size()) + "\n" + value + "\n";
}

Verification replay(const std::string &path, const VerifyOptions &options = {}) {
  vk::DeviceOptions wanted;
  wanted.tuning = false;
  return verify(vk::Device::open(wanted), Model::open(path), options);
}

} // namespace

TEST_CASE("verify: a file that it kept runs; one that does not fit itself is an error") {
  const TempFolder folder;
  const std::string graph = "graph extract\n  in x0 f32 [2, 3]\n  out y = softmax(x0)\n";
  const std::string good = record("title", "forward: softmax = y") + record("terms", "64");
  const Verification found = replay(kept_file(folder, good + record("graph", graph), graph));
  REQUIRE(found.rows.size() == 1);
  CHECK(!found.at_fault);
  CHECK(found.rows[0].graph == "forward");
  CHECK(found.rows[0].op == "softmax");
  CHECK(found.rows[0].result.outcome == check::CaseResult::Outcome::Right);
  CHECK(found.others); // none are recorded

  const auto refused = [&](const std::string &case_text, const std::string &text, const std::string &what) {
    std::string said;
    try {
      replay(kept_file(folder, case_text, text));
    } catch (const Error &e) {
      CHECK(e.code() != ErrorCode::Internal);
      said = e.what();
    }
    INFO(what, " in: ", said);
    CHECK(said.find("kept.gguf: ") != std::string::npos);
    CHECK(said.find(what) != std::string::npos);
  };
  const std::string end = record("graph", graph);
  refused("", graph, "0 cases, expected one");
  refused(good + end + good + end, graph, "2 cases, expected one");
  refused(good, graph, "0 cases, expected one");
  refused(good + "graph 99999999999\n", graph, "the cases end in the middle");
  refused(good + "graph -1\nx\n", graph, "fovea.verify.case");
  refused(good + record("variant", "no_such_kernel 8") + end, graph, "no_such_kernel");
  refused(good + record("weight", "w0 f32 4 4") + end, graph, "tensor 'w0' is missing, expected f32 [4, 4]");
  refused(good + record("weight", "in.x0 q9 4") + end, graph, "q9");
  refused(good + record("step", "pos 3") + end, graph, "no step is called 'pos'");
  refused(good + record("graph", graph + " "), graph, "the graph is not that of fovea.verify.case");
  const auto with = [&](const std::string &text, const std::string &what) {
    refused(good + record("graph", text), text, what);
  };
  with("graph extract\n  in x0 f32 [T, 3]\n  out y = softmax(x0)\n", "T");
  with("graph extract\n  in x0 f32 [2, 4]\n  out y = softmax(x0)\n",
       "tensor 'in.x0' is f32 [2, 3], expected f32 [2, 4]");
  with("graph extract\n  in x0 f32 [2, 3]\n  in x1 f32 [1000000, 1000000]\n  out y = softmax(x0)\n",
       "'x1' [1000000, 1000000] is too large");
  with("graph extract\n  in x0 f32 [2, 3]\n  state s0 f16 [8, 32]\n  out y = softmax(x0)\n",
       "tensor 'state.s0' is missing");
  VerifyOptions options;
  options.graph = "extract";
  CHECK_THROWS_WITH_AS(replay(kept_file(folder, good + end, graph), options),
                       doctest::Contains("runs with no inputs, graph or steps"), Error);
}
