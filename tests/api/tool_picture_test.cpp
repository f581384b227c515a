// fovea classify, embed and caption of pictures: text and JSON, several at once, and what is given wrongly.
#include "api/tool.h"

#include <nlohmann/json.hpp>

#include <cmath>
#include <cstring>

using namespace fovea::test;
using nlohmann::json;

namespace {

std::string image(const std::string &name) { return quoted(shared_path("images/" + name)); }

json parsed(const std::string &arguments) {
  const Finished f = run_tool(arguments);
  REQUIRE_MESSAGE(f.exit_code == 0, f.err);
  return json::parse(f.out);
}

} // namespace

TEST_CASE("tool: classify pictures, the best labels first") {
  const std::string model = tool_model("models/vit-tiny-patch16-224"), cat = image("cat.png"),
                    owl = image("owl.jpg");
  if (model.empty() || cat.size() < 3) return;
  const Finished one = run_tool("classify " + model + " " + cat + " --top 2");
  REQUIRE_MESSAGE(one.exit_code == 0, one.err);
  CHECK(one.out == "Egyptian cat 0.5960\ttiger cat 0.2076\n"); // as the reference says
  CHECK(one.err.empty());
  const Finished two = run_tool("classify " + model + " " + cat + " " + owl + " --top 1");
  REQUIRE(lines_of(two.out).size() == 2);
  CHECK(lines_of(two.out)[0] == shared_path("images/cat.png") + "\tEgyptian cat 0.5960");
  CHECK(lines_of(two.out)[1].find("owl.jpg\t") != std::string::npos);
  const json row = parsed("classify " + model + " " + cat + " --json --top 1000");
  CHECK(row["input"] == shared_path("images/cat.png"));
  REQUIRE(row["labels"].size() == 1000);
  double sum = 0;
  for (const auto &label : row["labels"]) sum += label["score"].get<double>();
  CHECK(sum == doctest::Approx(1));
  CHECK(row["labels"][0]["label"] == "Egyptian cat");
  const Finished piped = run_tool("classify " + model + " - --top 2", "cat " + cat + " | ");
  CHECK(piped.out == one.out);
}

TEST_CASE("tool: one bad picture does not keep the others from being classified") {
  const std::string model = tool_model("golden/cases/vit"), cat = image("cat.png");
  if (model.empty() || cat.size() < 3) return;
  const Finished f = run_tool("classify " + model + " /nonexistent.png " + cat + " " + model + " " + cat);
  CHECK(f.exit_code == 1);
  CHECK(lines_of(f.out).size() == 2);
  REQUIRE(lines_of(f.err).size() == 2);
  CHECK(lines_of(f.err)[0].find("/nonexistent.png: No such file") != std::string::npos);
  CHECK(lines_of(f.err)[1].find("vit.gguf: not an image") != std::string::npos);
  // Vectors say by their place what they are of: there the first error is the last word.
  const std::string clip = tool_model("golden/cases/clip");
  check_tool_error("embed " + clip + " --images /nonexistent.png " + cat, 1,
                   "/nonexistent.png: No such file");
}

TEST_CASE("tool: classify among the caller's labels") {
  const std::string clip = tool_model("golden/cases/clip"), cat = image("cat.png");
  if (clip.empty() || cat.size() < 3) return;
  const std::string common = "classify " + clip + " " + cat + " --json ";
  const json row = parsed(common + "--labels 'a cat, a dog ,the quick brown fox'");
  REQUIRE(row["labels"].size() == 3);
  double sum = 0;
  std::vector<std::string> names;
  for (const auto &label : row["labels"]) {
    sum += label["score"].get<double>();
    names.push_back(label["label"]);
  }
  CHECK(sum == doctest::Approx(1));
  std::sort(names.begin(), names.end());
  CHECK(names == std::vector<std::string>{"a cat", "a dog", "the quick brown fox"});
  // The template is what the labels are put into.
  const json same = parsed(common + "--labels 'a cat,a dog,the quick brown fox' --template 'a photo of {}'"),
             whole = parsed(common + "--labels 'a photo of a cat,a photo of a dog,"
                                     "a photo of the quick brown fox' --template '{}'"),
             other = parsed(common + "--labels 'a cat,a dog,the quick brown fox' --template '{}'");
  CHECK(same == row);
  for (size_t i = 0; i < 3; ++i)
    CHECK(whole["labels"][i]["score"].get<double>() ==
          doctest::Approx(row["labels"][i]["score"].get<double>()).epsilon(1e-5));
  CHECK(other != row);
  CHECK(parsed(common + "--labels 'a cat'")["labels"][0]["score"] == 1);
}

TEST_CASE("tool: what is given to classify wrongly is one clear sentence") {
  const std::string vit = tool_model("golden/cases/vit"), clip = tool_model("golden/cases/clip"),
                    bert = tool_model("golden/cases/bert_classifier"), cat = image("cat.png");
  if (vit.empty() || clip.empty() || bert.empty() || cat.size() < 3) return;
  const TempFolder folder;
  const std::string text = folder / "letter.txt", named = folder / "fake.png";
  write_file(text, "What a day!\n");
  write_file(named, "What a day!\n");
  check_tool_error("classify " + vit + " " + quoted(text), 1, "letter.txt: not an image");
  check_tool_error("classify " + vit + " " + quoted(named), 1, "fake.png: not an image");
  check_tool_error("classify " + vit + " " + quoted(folder.path()), 1, "is a folder, not an image");
  check_tool_error("classify " + vit + " 'What a day!'", 1,
                   "What a day!: No such file or directory; the model takes image files");
  check_tool_error("classify " + bert + " " + cat, 1, "cat.png: an image file, but the model takes texts");
  check_tool_error("classify " + clip + " " + cat, 2, "no labels of its own; give some to choose from");
  for (const char *labels : {"''", "' '", "'a,,b'", "'a,'", "','"})
    check_tool_error("classify " + clip + " " + cat + " --labels " + labels, 2, "has an empty label");
  check_tool_error("classify " + vit + " " + cat + " --labels a,b", 2, "the model has labels of its own");
  check_tool_error("classify " + bert + " hello --labels a,b", 2, "the model has labels of its own");
  check_tool_error("classify " + clip + " " + cat + " --template 'a {}'", 2, "--template goes with --labels");
  check_tool_error("classify " + clip + " " + cat + " --labels a --template 'a photo'", 2, "has no {}");
  check_tool_error("classify " + clip + " " + cat + " --labels", 2, "--labels");
  check_tool_error("classify " + vit + " " + cat + " --top 0", 2, "--top");
  check_tool_error("classify " + vit, 2, "INPUT missing");
  check_tool_error("classify " + tool_model("golden/cases/caption") + " " + cat, 1,
                   "not a classifier of texts or pictures (its task is 'caption')");
}

TEST_CASE("tool: embed pictures, and texts beside them") {
  const std::string clip = tool_model("golden/cases/clip"), bert = tool_model("golden/cases/bert"),
                    vit = tool_model("golden/cases/vit"), dino = tool_model("golden/cases/dinov2"),
                    cat = image("cat.png"), owl = image("owl.jpg");
  if (clip.empty() || bert.empty() || vit.empty() || dino.empty() || cat.size() < 3) return;
  const Finished mixed = run_tool("embed " + clip + " " + cat + " 'a cat' " + owl + " " + cat);
  REQUIRE_MESSAGE(mixed.exit_code == 0, mixed.err);
  const auto lines = lines_of(mixed.out);
  REQUIRE(lines.size() == 4);
  CHECK(json::parse(lines[0])["image"] == shared_path("images/cat.png"));
  CHECK(json::parse(lines[1])["text"] == "a cat");
  CHECK(lines[3] == lines[0]);
  for (const std::string &line : lines) {
    double squares = 0;
    for (const double v : json::parse(line)["embedding"].get<std::vector<double>>()) squares += v * v;
    CHECK(squares == doctest::Approx(1).epsilon(1e-5));
  }
  CHECK(run_tool("embed " + clip + " 'a cat'").out == lines[1] + "\n");
  CHECK(json::parse(run_tool("embed " + clip + " --texts cat.png").out)["text"] == "cat.png");
  const Finished binary = run_tool("embed " + dino + " -f f32 " + cat + " " + owl);
  const std::vector<float> want = parsed("embed " + dino + " " + owl)["embedding"];
  REQUIRE(binary.out.size() == 2 * want.size() * sizeof(float));
  std::vector<float> got(want.size());
  std::memcpy(got.data(), binary.out.data() + want.size() * sizeof(float), want.size() * sizeof(float));
  for (size_t i = 0; i < want.size(); ++i) CHECK(std::abs(got[i] - want[i]) < 1e-5f);

  check_tool_error("embed " + clip + " cat.png", 1, "cat.png: No such file"); // ends like a picture
  check_tool_error("embed " + bert + " " + cat, 1, "cat.png: an image file, but the model takes texts");
  check_tool_error("embed " + bert + " --images " + cat, 1, "the model takes texts");
  check_tool_error("embed " + dino + " 'a cat'", 1, "; the model takes image files");
  check_tool_error("embed " + dino + " --texts 'a cat'", 1, "makes vectors of pictures, not of texts");
  check_tool_error("embed " + clip + " --texts --images a", 2, "--texts");
  check_tool_error("embed " + vit + " " + cat, 1, "not a model of embeddings (its task is 'classify'");
}

TEST_CASE("tool: caption pictures") {
  const std::string model = tool_model("golden/cases/caption"), vit = tool_model("golden/cases/vit"),
                    cat = image("cat.png"), owl = image("owl.jpg");
  if (model.empty() || vit.empty() || cat.size() < 3) return;
  const Finished plain = run_tool("caption " + model + " " + cat + " --max-tokens 8");
  REQUIRE_MESSAGE(plain.exit_code == 0, plain.err);
  CHECK(lines_of(plain.out).size() == 1);
  const Finished two = run_tool("caption " + model + " " + owl + " " + cat + " --max-tokens 8");
  REQUIRE(lines_of(two.out).size() == 2);
  CHECK(lines_of(two.out)[1] + "\n" == shared_path("images/cat.png") + "\t" + plain.out);
  const json greedy = parsed("caption " + model + " " + cat + " --json --max-tokens 8"),
             beams = parsed("caption " + model + " " + cat + " --json --max-tokens 8 --beams 4");
  CHECK(greedy["image"] == shared_path("images/cat.png"));
  CHECK(greedy["tokens"].size() <= 9);
  CHECK(greedy["tokens"][0] == 1);
  CHECK(greedy["ended"] == false);
  CHECK_FALSE(greedy.contains("score"));
  CHECK(beams["score"].get<double>() < 0);
  const json longer = parsed("caption " + model + " " + cat + " --json --max-tokens 12 --min-tokens 12");
  CHECK(longer["tokens"].size() == 13);

  check_tool_error("caption " + vit + " " + cat, 1,
                   "not a model that writes about pictures (its task is 'classify'");
  check_tool_error("caption " + model + " " + cat + " --beams 65", 2, "--beams");
  check_tool_error("caption " + model + " " + model, 1, "caption.gguf: not an image");
  check_tool_error("caption " + model + " 'a cat'", 1, "; the model takes image files");
  const Finished some = run_tool("caption " + model + " /nonexistent.png " + cat + " --max-tokens 8");
  CHECK(some.exit_code == 1);
  CHECK(lines_of(some.out).size() == 1);
}

TEST_CASE("tool: captions of a model without a tokenizer are token ids") {
  const std::string source = shared_path("golden/cases/caption"), cat = image("cat.png");
  if (source.empty() || cat.size() < 3) return;
  const TempFolder folder;
  for (const char *name : {"config.json", "generation_config.json", "model.safetensors"})
    std::filesystem::copy(source + "/" + name, folder / name);
  const std::string model = quoted(folder / "m.gguf");
  const Finished made = run_tool("convert " + quoted(folder.path()) + " -o " + model);
  REQUIRE(made.exit_code == 0);
  REQUIRE_MESSAGE(lines_of(made.err).size() == 2, made.err); // one each for the tokenizer and the processor
  CHECK(made.err.find("fovea: warning: " + folder.path() + ": has no tokenizer") != std::string::npos);
  CHECK(made.err.find("preprocessor_config.json: is not there; pictures will be") != std::string::npos);
  check_tool_error("caption " + model + " " + cat, 1,
                   "m.gguf: the file has no tokenizer; --json gives token ids");
  const json row = parsed("caption " + model + " " + cat + " --json --max-tokens 4");
  CHECK(row["tokens"].size() >= 2);
  CHECK_FALSE(row.contains("text"));
}
