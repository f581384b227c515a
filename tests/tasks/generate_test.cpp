// Text generation: sequences of the reference implementation's (../shared), chunks, limits, stop texts,
// sampling.
#include "models/golden.h"

#include "converter/json.h"
#include "tasks/generate.h"

#include <doctest/doctest.h>
#include <fstream>
#include <sstream>

using namespace fovea;
using namespace fovea::test;

namespace {

Generator make_generator(std::shared_ptr<const Model> model, const GeneratorOptions &options = {}) {
  auto weights = DeviceWeights::load(test_device(), model);
  return Generator(test_device(), std::move(model), std::move(weights), options);
}

struct Greedy {
  std::vector<int32_t> prompt, reply;
};

/// The golden sequence: nine tokens of the input, then what the reference goes on with.
Greedy golden_sequence(const std::string &folder) {
  const Source golden = open_safetensors(folder + "/golden.safetensors");
  const std::vector<int32_t> all = read_safetensor(golden, "output.greedy").i;
  return {{all.begin(), all.begin() + 9}, {all.begin() + 9, all.end()}};
}

GenerateOptions exactly(size_t n_tokens) {
  GenerateOptions options;
  options.max_tokens = uint32_t(n_tokens);
  options.ignore_end = true;
  return options;
}

} // namespace

TEST_CASE("generate: greedy sequences of the golden models, in chunks of every size") {
  for (const char *name : {"gpt2", "llama", "mistral", "qwen2", "qwen3", "gemma3"}) {
    CAPTURE(name);
    const std::string folder = shared_path(concat("golden/cases/", name));
    if (folder.empty()) return;
    const Greedy want = golden_sequence(folder);
    for (const uint32_t chunk : {512u, 4u, 1u}) { // 1: as many single steps
      GeneratorOptions options;
      options.n_chunk = chunk;
      Generator generator = make_generator(converted(folder, Encoding::F32), options);
      const Generation got = generator.generate(want.prompt, exactly(want.reply.size()));
      CHECK(got.tokens == want.reply);
      CHECK(got.finish == FinishReason::Length);
      CHECK(got.timings.n_prompt == 9);
    }
  }
}

TEST_CASE("generate: a real model's stories, token for token, f32 and f16") {
  const std::string folder = shared_path("models/stories260K");
  if (folder.empty()) return;
  std::stringstream text;
  text << std::ifstream(folder + "/references.json").rdbuf();
  const Json references = Json::parse(text.str());
  for (const Encoding encoding : {Encoding::F32, Encoding::F16}) {
    Generator generator = make_generator(converted(folder, encoding));
    for (const auto &[prompt, reference] : references["prompts"].items()) {
      CAPTURE(prompt);
      const auto ids = reference["ids"].get<std::vector<int32_t>>();
      const auto prompt_ids = reference["prompt_ids"].get<std::vector<int32_t>>();
      std::string streamed;
      const Generation got = generator.generate(prompt, exactly(ids.size() - prompt_ids.size()),
                                                [&](std::string_view piece) { streamed += piece; });
      CHECK(got.prompt == prompt_ids);
      std::vector<int32_t> all = got.prompt;
      all.insert(all.end(), got.tokens.begin(), got.tokens.end());
      CHECK(all == ids);
      CHECK(prompt + got.text == reference["text"].get<std::string>());
      CHECK(streamed == got.text);
    }
  }
}
