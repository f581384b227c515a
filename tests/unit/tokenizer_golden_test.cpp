// Ids and text of the reference implementation (tests/support/shared_folder.h says where they are).
#include "support/shared_folder.h"
#include "support/tokenizer_folder.h"
#include "text/token_stream.h"

#include <filesystem>

using namespace fovea;

namespace {

void check_golden(const Tokenizer &tokenizer, const std::string &path) {
  size_t n_rows = 0, n_wrong = 0;
  for (const Json &row : test::read_json(path)) {
    const std::string text = row["text"];
    const auto wanted = row["ids"].get<std::vector<int32_t>>();
    const auto ids = tokenizer.encode(text, {.allow_special = true});
    const std::string decoded = tokenizer.decode(wanted, true);
    TokenStream stream(tokenizer, true);
    std::string streamed;
    for (const int32_t id : wanted) streamed += stream.push(id);
    streamed += stream.finish();
    ++n_rows;
    if (ids == wanted && decoded == row["decoded"] && streamed == decoded) continue;
    if (++n_wrong <= 3)
      MESSAGE("differs from the reference: "
              << Json(text).dump() << "\n  ids " << Json(ids).dump() << "\n  expected " << Json(wanted).dump()
              << "\n  text " << Json(decoded).dump() << "\n  streamed " << Json(streamed).dump()
              << "\n  expected " << row["decoded"].dump());
  }
  CHECK_MESSAGE(n_wrong == 0, path, ": ", n_wrong, " of ", n_rows);
  CHECK(n_rows > 20);
}

} // namespace

TEST_CASE("tokenizers of the golden cases: ids and text of the reference implementation") {
  const std::string cases = test::shared_path("golden/cases");
  if (cases.empty()) return;
  size_t n = 0;
  for (const auto &entry : std::filesystem::directory_iterator(cases)) {
    const std::string folder = entry.path().string();
    if (!std::filesystem::exists(folder + "/tokenizer_golden.json")) continue;
    CAPTURE(folder);
    check_golden(test::load_folder(folder), folder + "/tokenizer_golden.json");
    ++n;
  }
  CHECK(n >= 13);
}

TEST_CASE("published tokenizers: ids and text of the reference implementation") {
  const std::string tokenizers = test::shared_path("tokenizers");
  if (tokenizers.empty()) return;
  for (const auto &entry : std::filesystem::directory_iterator(tokenizers)) {
    const std::string folder = entry.path().string();
    CAPTURE(folder);
    check_golden(test::load_folder(folder), folder + "/golden.json");
  }
}

TEST_CASE("tokenizers: text that the reference implementation generated") {
  const std::string models = test::shared_path("models");
  if (models.empty()) return;
  const Tokenizer stories = test::load_folder(models + "/stories260K");
  const Json references = test::read_json(models + "/stories260K/references.json");
  for (const auto &[prompt, reference] : references["prompts"].items()) {
    CHECK(stories.encode(prompt, {}) == reference["prompt_ids"].get<std::vector<int32_t>>());
    if (reference.contains("text"))
      CHECK(stories.decode(reference["ids"].get<std::vector<int32_t>>(), true) == reference["text"]);
  }
  const Tokenizer speech = test::load_folder(models + "/whisper-tiny.en");
  const Json recordings = test::read_json(models + "/whisper-tiny.en/references.json");
  for (const auto &[name, clip] : recordings["clips"].items()) {
    std::string text = speech.decode(clip["ids"].get<std::vector<int32_t>>(), true);
    text.erase(0, text.find_first_not_of(' '));
    CHECK(text == clip["text"].get<std::string>());
    if (clip.contains("ids_timestamps")) // added tokens are text
      CHECK(speech.decode(clip["ids_timestamps"].get<std::vector<int32_t>>(), true) ==
            clip["text_timestamps"].get<std::string>());
  }
}
