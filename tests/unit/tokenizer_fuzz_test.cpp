// Tokenizers and hostile input: any bytes as text, any metadata in the file.
#include "support/shared_folder.h"
#include "support/tokenizer_folder.h"
#include "text/token_stream.h"
#include "text/utf8.h"

#include <chrono>
#include <random>

using namespace fovea;

namespace {
using Ids = std::vector<int32_t>;
using Random = std::mt19937;

/// Tokenizers of every kind, from the golden cases; none where there are none.
std::vector<TokenizerData> every_kind() {
  const std::string shared = test::shared_path("golden/cases");
  if (shared.empty()) return {};
  std::vector<TokenizerData> out;
  for (const std::string &folder :
       {shared + "/gpt2", shared + "/bert", shared + "/t5", shared + "/../../models/stories260K"})
    out.push_back(*read_tokenizer(test::folder_source(folder),
                                  test::vocabulary_of(test::read_json(folder + "/tokenizer.json"))));
  TokenizerData words = out[1];
  words.model = TokenModelKind::WordLevel;
  out.push_back(words);
  return out;
}

std::string random_bytes(Random &random) {
  static const std::string parts[] = {" ",
                                      "\n",
                                      "a",
                                      "the",
                                      "\xE2\x96\x81",
                                      "\xC3\xA9",
                                      "e\xCC\x81",
                                      "\xE6\xB3\xA8",
                                      "<s>",
                                      "[CLS]",
                                      "<0x41>",
                                      "\xF0\x9F\x9A\x80",
                                      "<|endoftext|>",
                                      "\xEF\xBF\xBD",
                                      "##",
                                      "."};
  std::string out;
  for (size_t n = random() % 30; n > 0; --n)
    if (random() % 3)
      out += parts[random() % std::size(parts)];
    else
      out += char(random());
  return out;
}
} // namespace

TEST_CASE("tokenizer fuzz: any bytes are encoded, any ids decoded") {
  Random random(17);
  MESSAGE("seed 17");
  for (const TokenizerData &data : every_kind()) {
    const Tokenizer tokenizer(data);
    for (int i = 0; i < 2000; ++i) {
      const std::string text = random_bytes(random), second = random_bytes(random);
      const EncodeOptions options{random() % 2 == 0, random() % 2 == 0};
      const EncodedText encoded = tokenizer.encode_typed(text, second, options);
      REQUIRE(encoded.ids.size() == encoded.types.size());
      const std::string decoded = tokenizer.decode(encoded.ids, random() % 2);
      CHECK(is_utf8(decoded));
      if (!data.pre_tokenizer.empty() && data.pre_tokenizer[0] == "byte_level")
        CHECK(tokenizer.decode(tokenizer.encode(text, {.add_special = false}), false) ==
              utf8_replace_invalid(text));
      Ids ids(random() % 20);
      for (int32_t &id : ids) id = int32_t(random() % uint32_t(tokenizer.size()));
      TokenStream stream(tokenizer, false);
      std::string streamed;
      for (const int32_t id : ids) {
        const std::string part = stream.push(id);
        CHECK(utf8_replace_invalid(part) == part); // whole characters
        streamed += part;
      }
      streamed += stream.finish();
      const std::string whole = tokenizer.decode(ids, false);
      CHECK((streamed == whole || whole.find("\xEF\xBF\xBD") != std::string::npos));
    }
  }
}

TEST_CASE("tokenizer fuzz: special tokens that users write are text") {
  for (const TokenizerData &data : every_kind()) {
    if (data.model == TokenModelKind::WordLevel) continue;
    const Tokenizer tokenizer(data);
    for (size_t id = 0; id < data.types.size(); ++id) {
      if (data.types[id] != TokenType::Special || int32_t(id) == data.unknown) continue;
      for (const std::string &text : {data.tokens[id], "a " + data.tokens[id] + " b"})
        for (const int32_t made : tokenizer.encode(text, {.add_special = false}))
          CHECK((made == data.unknown || data.types[size_t(made)] != TokenType::Special));
    }
  }
}

TEST_CASE("tokenizer fuzz: random metadata is an error or a tokenizer") {
  const test::TempFolder folder;
  Random random(23);
  MESSAGE("seed 23");
  size_t n_errors = 0, n_good = 0;
  static const std::string texts[] = {"",
                                      "x",
                                      "gpt2",
                                      "bpe",
                                      "unigram",
                                      "wordpiece",
                                      "wordlevel",
                                      "nfc",
                                      "replace regex=\"(a\" with=\"\"",
                                      "replace text=\"a\" with=\"bb\"",
                                      "metaspace",
                                      "metaspace mark=\"\"",
                                      "split regex=\"\\\\s\"",
                                      "byte_level",
                                      "byte_fallback",
                                      "strip text=\"\" left=1",
                                      "strip text=\" \" left=4294967295 right=4294967295",
                                      "precompiled",
                                      "fixed_length length=0",
                                      "ctc blank=\"\" delimiter=\"\"",
                                      "word_piece",
                                      "fuse",
                                      "a b",
                                      "a  b",
                                      "\"",
                                      "nope",
                                      "prepend text=\"\xFF\"",
                                      "bpe suffix=\"\"",
                                      "clean_up",
                                      "join",
                                      "split text=\"\" behavior=nope"};
  for (const TokenizerData &data : every_kind()) {
    ModelPlan plan;
    add_tokenizer_metadata(data, plan);
    for (int i = 0; i < 150; ++i) {
      auto metadata = plan.metadata;
      for (size_t n = 1 + random() % 3; n > 0; --n) {
        auto &[key, value] = metadata[random() % metadata.size()];
        const auto number = [&] { return int32_t(random() % 4 ? random() % 700 : random()); };
        if (auto *list = std::get_if<std::vector<std::string>>(&value); list && random() % 4) {
          if (random() % 2) list->resize(random() % (list->size() + 2));
          if (!list->empty()) (*list)[random() % list->size()] = texts[random() % std::size(texts)];
        } else if (auto *numbers = std::get_if<std::vector<int32_t>>(&value); numbers && random() % 4) {
          if (random() % 2) numbers->resize(random() % (numbers->size() + 2));
          if (!numbers->empty()) (*numbers)[random() % numbers->size()] = number();
        } else if (auto *bytes = std::get_if<std::vector<uint8_t>>(&value); bytes && random() % 4) {
          for (int k = 0; k < 100; ++k) (*bytes)[random() % bytes->size()] = uint8_t(random());
        } else {
          const MetaData any[] = {number(),
                                  uint32_t(number()),
                                  random() % 2 == 0,
                                  texts[random() % std::size(texts)],
                                  std::vector<std::string>(random() % 5, texts[random() % std::size(texts)]),
                                  std::vector<int32_t>(random() % 6, number()),
                                  std::vector<float>(random() % 3, 1e38f)};
          value = any[random() % std::size(any)];
        }
      }
      const std::string path = folder / "fuzz.gguf";
      GgufWriter writer(path);
      writer.add("general.architecture", std::string("fovea"));
      for (const auto &[key, value] : metadata) writer.add(key, value);
      writer.add_tensor("t", {{32}, Encoding::F32});
      writer.write(std::vector<std::byte>(128));
      writer.commit();
      const ModelFile file(path);
      try {
        const Tokenizer tokenizer = load_tokenizer(file, 1000);
        ++n_good;
        for (int k = 0; k < 5; ++k) tokenizer.decode(tokenizer.encode(random_bytes(random), {}), false);
      } catch (const Error &error) {
        ++n_errors;
        const std::string what = error.what();
        CHECK_MESSAGE(what.find(path) == 0, what);
        CHECK_MESSAGE(what.find('\n') == std::string::npos, what);
      }
    }
  }
  if (n_good + n_errors > 0) CHECK((n_good > 50 && n_errors > 50));
}

TEST_CASE("tokenizer fuzz: a megabyte takes no quadratic time") {
  for (const TokenizerData &data : every_kind()) {
    const Tokenizer tokenizer(data);
    // Marks in falling order of class: sorting them one by one would be quadratic.
    for (const std::string unit :
         {"a", " ", "ab, ", "\xCC\x81\xCC\xA3", "\xE6\xB3\xA8", "\xFF", "<", "[CLS]", "\xE2\x96\x81"}) {
      std::string text;
      while (text.size() < 1'000'000) text += unit;
      const auto begin = std::chrono::steady_clock::now();
      const Ids ids = tokenizer.encode(text, {.allow_special = true});
      tokenizer.decode(ids, false);
      const std::chrono::duration<double> seconds = std::chrono::steady_clock::now() - begin;
      CHECK_MESSAGE(seconds.count() < 30, data.source, " '", unit, "'"); // quadratic would be hours
    }
  }
}
