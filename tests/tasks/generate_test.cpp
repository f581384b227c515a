// Text generation: sequences of the reference implementation's (../shared), chunks, limits, stop texts,
// sampling.
#include "models/golden.h"
#include "support/temp_folder.h"

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

TEST_CASE("generate: caches in q8 take about half the memory and keep the words") {
  const std::string folder = shared_path("models/stories260K");
  if (folder.empty()) return;
  std::stringstream text;
  text << std::ifstream(folder + "/references.json").rdbuf();
  const Json references = Json::parse(text.str());
  const auto model = converted(folder, Encoding::F16);
  GeneratorOptions options;
  const auto state_bytes = [&] { return make_generator(model, options).memory().state_bytes; };
  const uint64_t whole = state_bytes();
  options.cache = Encoding::Q8;
  CHECK(state_bytes() * 100 / whole == 53); // 34 bytes for 32 elements
  size_t n_same = 0, n_all = 0;
  Generator generator = make_generator(model, options);
  for (const auto &[prompt, reference] : references["prompts"].items()) {
    const auto all = reference["ids"].get<std::vector<int32_t>>();
    const size_t n_prompt = reference["prompt_ids"].size();
    // After each prefix of the reference's text: a text of its own would differ for good from one token on.
    for (size_t n = n_prompt; n < all.size() && n < n_prompt + 40; n += 2, ++n_all)
      n_same += generator.generate({all.begin(), all.begin() + ptrdiff_t(n)}, exactly(1)).tokens[0] == all[n];
  }
  CHECK(n_all > 40);
  CHECK_MESSAGE(n_same * 100 >= n_all * 95, n_same, " of ", n_all, " tokens are those of f32 caches");
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

namespace {

std::shared_ptr<const Model> stories() {
  const std::string folder = shared_path("models/stories260K");
  return folder.empty() ? nullptr : converted(folder, Encoding::F32);
}

} // namespace

TEST_CASE("generate: the end of the context, of the tokens asked for, a stop text") {
  const auto model = stories();
  if (!model) return;
  GeneratorOptions small;
  small.n_context = 12;
  Generator generator = make_generator(model, small);
  CHECK(generator.n_context() == 12);
  GenerateOptions options;
  options.ignore_end = true;
  const Generation full = generator.generate("Once upon a time", options);
  CHECK(full.finish == FinishReason::Context);
  // Every row of the caches is used, and what follows the last row is still known.
  CHECK(full.prompt.size() + full.tokens.size() == 13);

  const std::vector<int32_t> exact(full.prompt.begin(), full.prompt.end());
  std::vector<int32_t> twelve = exact;
  twelve.insert(twelve.end(), full.tokens.begin(), full.tokens.begin() + int64_t(12 - exact.size()));
  CHECK(generator.generate(twelve, options).tokens == std::vector<int32_t>{full.tokens.back()});
  twelve.push_back(1);
  CHECK_THROWS_WITH_AS(generator.generate(twelve, options),
                       doctest::Contains("the prompt has 13 tokens, the context holds 12"), Error);

  options.max_tokens = 3;
  CHECK(generator.generate("Once", options).finish == FinishReason::Length);
  options.max_tokens = 0;
  options.stop = {"little", " was a"};
  std::string streamed;
  const Generation stopped =
      generator.generate("Once upon a time", options, [&](std::string_view text) { streamed += text; });
  CHECK(stopped.finish == FinishReason::Stop);
  CHECK(stopped.text == ", there");
  CHECK(streamed == stopped.text);
}

TEST_CASE("generate: an empty prompt, characters that no token stands for, ids outside the vocabulary") {
  const auto model = stories();
  if (!model) return;
  Generator generator = make_generator(model);
  CHECK(generator.generate("", exactly(4)).text == "Once upon a time");
  const Generation emoji = generator.generate("\xF0\x9F\x98\x80 \xE6\xB3\xA8 \x01", exactly(4));
  CHECK(emoji.tokens.size() == 4);
  CHECK(generator.generate("not \xFF UTF-8", exactly(2)).tokens.size() == 2);
  for (const int32_t id : {-1, 512, INT32_MAX})
    CHECK_THROWS_WITH_AS(generator.generate(std::vector<int32_t>{1, id}, exactly(1)),
                         doctest::Contains("outside the model's vocabulary"), Error);
  CHECK_THROWS_WITH_AS(generator.generate(std::vector<int32_t>{}, exactly(1)), doctest::Contains("no tokens"),
                       Error);
  CHECK_THROWS_WITH_AS((void)generator.chat({{ChatRole::User, "Hi"}}), doctest::Contains("no chat format"),
                       Error);
  GeneratorOptions large;
  large.n_context = 513;
  CHECK_THROWS_WITH_AS(make_generator(model, large), doctest::Contains("expected 2 to 512"), Error);
}

TEST_CASE(
    "generate: sampling is the same for the same seed; a penalty, a callback that stops, cancellation") {
  const auto model = stories();
  if (!model) return;
  Generator generator = make_generator(model);
  GenerateOptions options = exactly(30);
  options.temperature = 1.0f;
  options.top_p = 0.9f;
  const Generation first = generator.generate("Once", options);
  CHECK(generator.generate("Once", options).tokens == first.tokens);
  options.seed = 1;
  CHECK(generator.generate("Once", options).tokens != first.tokens);
  options.top_k = 1; // whatever the temperature
  CHECK(generator.generate("Once", options).tokens == generator.generate("Once", exactly(30)).tokens);
  options = exactly(60);
  options.repeat_penalty = 1.5f;
  CHECK(generator.generate("Once", options).tokens != generator.generate("Once", exactly(60)).tokens);

  CHECK_THROWS_WITH_AS(
      generator.generate("Once", exactly(30), [](std::string_view) { fail(ErrorCode::Cancelled, "enough"); }),
      "enough", Error);
  std::atomic<bool> cancel = true;
  options.cancel = &cancel;
  CHECK_THROWS_AS(generator.generate("Once", options), Error);
  CHECK(generator.generate("Once", exactly(3)).tokens.size() == 3); // as good as before
}

TEST_CASE("generate: a conversation is read as its template writes it, and goes on from what was read") {
  const std::string golden = shared_path("golden/cases/llama");
  if (golden.empty()) return;
  const TempFolder folder;
  std::filesystem::copy(golden, folder / "m");
  write_file(
      folder / "m/tokenizer_config.json",
      R"({"eos_token": "<|endoftext|>", "chat_template": "{{ '<|user|>\n' + m + eos_token }}<|assistant|>"})");
  Generator generator = make_generator(converted(folder / "m", Encoding::F32));
  REQUIRE(generator.chat_format());
  CHECK(generator.chat_format()->name == "zephyr");
  const std::vector<ChatMessage> turns = {{ChatRole::User, "Hello"}};
  GenerateOptions special;
  const auto ids = generator.encode(turns);
  CHECK(ids == generator.encode("<|user|>\nHello<|endoftext|>\n<|assistant|>\n", true));
  // What a user writes is never the end of a turn.
  const auto spelled = generator.encode({{ChatRole::User, "<|endoftext|>"}});
  CHECK(std::count(spelled.begin(), spelled.end(), 0) == 1);
  CHECK(std::count(ids.begin(), ids.end(), 0) == 1);

  const Generation first = generator.chat(turns, exactly(5));
  CHECK(first.timings.n_reused == 0);
  const std::vector<ChatMessage> more = {
      {ChatRole::User, "Hello"}, {ChatRole::Assistant, first.text}, {ChatRole::User, "more"}};
  const Generation second = generator.chat(more, exactly(5));
  CHECK(second.timings.n_reused >= ids.size() - 1);
  CHECK(second.timings.n_reused < second.timings.n_prompt);
  const Generation anew = generator.generate(second.prompt, exactly(5));
  CHECK(anew.timings.n_reused == 0);
  CHECK(anew.tokens == second.tokens);
}
