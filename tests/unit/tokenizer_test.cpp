#include "base/error.h"
#include "tests/support/shared_folder.h"
#include "text/byte_alphabet.h"
#include "text/tokenizer.h"
#include "text/utf8.h"

#include <algorithm>
#include <chrono>
#include <doctest/doctest.h>
#include <fstream>
#include <nlohmann/json.hpp>
#include <random>

using namespace fovea;
using nlohmann::json;

namespace {
json read_json(const std::string &path) {
  std::ifstream file(path);
  return json::parse(file);
}

/// A tokenizer.json as the converter would pack it.
TokenizerData load(const std::string &path) {
  const json file = read_json(path);
  TokenizerData data;
  data.source = path;
  const auto set = [&](size_t id, const std::string &text, TokenType type) {
    if (id >= data.tokens.size()) {
      data.tokens.resize(id + 1);
      data.types.resize(id + 1, TokenType::Unused);
    }
    data.tokens[id] = text;
    data.types[id] = type;
  };
  for (const auto &[text, id] : file["model"]["vocab"].items()) set(id, text, TokenType::Normal);
  for (const json &token : file["added_tokens"])
    set(token["id"], token["content"], token["special"].get<bool>() ? TokenType::Special : TokenType::Added);
  for (const json &merge : file["model"]["merges"])
    data.merges.push_back(merge.is_string()
                              ? merge.get<std::string>()
                              : merge[0].get<std::string>() + ' ' + merge[1].get<std::string>());
  return data;
}

/// The same as raw bytes without merges, as a ggml file has it.
TokenizerData as_ranked_bytes(TokenizerData data) {
  data.merges.clear();
  data.tokens_are_bytes = true;
  for (size_t id = 0; id < data.tokens.size(); ++id)
    if (data.types[id] == TokenType::Normal) data.tokens[id] = alphabet_to_bytes(data.tokens[id]).value();
  return data;
}

std::string bytes_of(const Tokenizer &tokenizer, const std::vector<int32_t> &ids) {
  std::string out;
  for (const int32_t id : ids) out += tokenizer.token_bytes(id);
  return out;
}

void check_golden(const Tokenizer &tokenizer, const std::string &path, const std::vector<int32_t> &before,
                  const std::vector<int32_t> &after) {
  size_t n_wrong = 0;
  for (const json &row : read_json(path)) {
    const std::string text = row["text"];
    std::vector<int32_t> ids = before;
    for (const int32_t id : tokenizer.encode(text, true)) ids.push_back(id);
    ids.insert(ids.end(), after.begin(), after.end());
    if (ids != row["ids"].get<std::vector<int32_t>>() || tokenizer.decode(ids, true) != row["decoded"]) {
      ++n_wrong;
      MESSAGE("differs from the reference: " << json(text).dump());
    }
    Utf8Stream stream;
    std::string streamed;
    for (const int32_t id : ids) streamed += stream.push(tokenizer.token_bytes(id));
    streamed += stream.finish();
    CHECK(streamed == tokenizer.decode(ids, false));
  }
  CHECK(n_wrong == 0);
}

/// All single bytes, then `more` (in the byte alphabet).
TokenizerData small_data(const std::vector<std::string> &more, const std::vector<std::string> &merges) {
  TokenizerData data;
  for (int byte = 0; byte < 256; ++byte) data.tokens.push_back(byte_to_alphabet(uint8_t(byte)));
  data.tokens.insert(data.tokens.end(), more.begin(), more.end());
  data.merges = merges;
  return data;
}

std::string error_of(const TokenizerData &data) {
  try {
    Tokenizer{data};
  } catch (const Error &error) {
    CHECK(error.code() == ErrorCode::InvalidFile);
    return error.what();
  }
  return "no error";
}
} // namespace

TEST_CASE("tokenizer: ids and text of the reference implementation, GPT-2") {
  const std::string folder = test::shared_path("tokenizers/gpt2");
  if (folder.empty()) return;
  const TokenizerData data = load(folder + "/tokenizer.json");
  check_golden(Tokenizer(data), folder + "/golden.json", {}, {});
  check_golden(Tokenizer(as_ranked_bytes(data)), folder + "/golden.json", {}, {});
}

TEST_CASE("tokenizer: ids and text of the reference implementation, multilingual Whisper") {
  const std::string folder = test::shared_path("tokenizers/whisper.tiny");
  if (folder.empty()) return;
  const TokenizerData data = load(folder + "/tokenizer.json");
  const Tokenizer tokenizer(data);
  const int32_t start = tokenizer.id_of("<|startoftranscript|>").value();
  const int32_t no_timestamps = tokenizer.id_of("<|notimestamps|>").value();
  const int32_t end = tokenizer.id_of("<|endoftext|>").value();
  check_golden(tokenizer, folder + "/golden.json", {start, no_timestamps}, {end});
  check_golden(Tokenizer(as_ranked_bytes(data)), folder + "/golden.json", {start, no_timestamps}, {end});
}

TEST_CASE("tokenizer: transcripts of the reference implementation, Whisper tiny.en") {
  const std::string folder = test::shared_path("models/whisper-tiny.en");
  if (folder.empty()) return;
  const Tokenizer tokenizer(load(folder + "/tokenizer.json"));
  const json references = read_json(folder + "/references.json");
  size_t n_clips = 0;
  for (const auto &[name, clip] : references["clips"].items()) {
    std::string text = tokenizer.decode(clip["ids"].get<std::vector<int32_t>>(), true);
    text.erase(0, text.find_first_not_of(' '));
    CHECK(text == clip["text"].get<std::string>());
    if (clip.contains("ids_timestamps")) // added tokens are text
      CHECK(tokenizer.decode(clip["ids_timestamps"].get<std::vector<int32_t>>(), true) ==
            clip["text_timestamps"].get<std::string>());
    ++n_clips;
  }
  CHECK(n_clips > 5);
}

TEST_CASE("tokenizer: special and added tokens in text") {
  TokenizerData data = small_data({"<|a|>", "<|a|>b", "[x]", "gone"}, {});
  data.types.assign(260, TokenType::Normal);
  data.types[256] = data.types[257] = TokenType::Special;
  data.types[258] = TokenType::Added;
  data.types[259] = TokenType::Unused;
  const Tokenizer tokenizer(data);
  using Ids = std::vector<int32_t>;
  CHECK(tokenizer.encode("<|a|>", true) == Ids{256});
  CHECK(tokenizer.encode("x<|a|><|a|>b<|a|", true) == Ids{'x', 256, 257, '<', '|', 'a', '|'});
  CHECK(tokenizer.encode("<|a|>b", true) == Ids{257}); // the longest
  CHECK(tokenizer.encode("<|a|>", false).size() == 5);
  CHECK(tokenizer.encode("[x]", false) == Ids{258});
  CHECK(tokenizer.encode("gone", true).size() == 4);
  CHECK(tokenizer.decode(Ids{256, 258, 259}, true) == "[x]gone");
  CHECK(tokenizer.decode(Ids{256, 258}, false) == "<|a|>[x]");
  CHECK(tokenizer.id_of("gone") == 259);
  CHECK_FALSE(tokenizer.id_of("nowhere"));
  CHECK(tokenizer.type(258) == TokenType::Added);
  CHECK_THROWS_WITH_AS((void)tokenizer.decode(Ids{260}, true),
                       "tokenizer: token id 260 is outside the vocabulary of 260", Error);
  CHECK_THROWS_AS((void)tokenizer.token_bytes(-1), Error);
}

TEST_CASE("tokenizer: a space before each text that lacks one") {
  TokenizerData data = small_data({"\xC4\xA0"
                                   "a",
                                   "<s>"},
                                  {"\xC4\xA0 a"});
  data.types.assign(258, TokenType::Normal);
  data.types[257] = TokenType::Special;
  data.add_prefix_space = true;
  const Tokenizer tokenizer(data);
  CHECK(tokenizer.encode("a", true) == std::vector<int32_t>{256});
  CHECK(tokenizer.encode(" a", true) == std::vector<int32_t>{256});
  CHECK(tokenizer.encode("a<s>a", true) == std::vector<int32_t>{256, 257, 256});
  CHECK(tokenizer.encode("", true).empty());
}

TEST_CASE("tokenizer: merging by heap is merging the best pair, one at a time") {
  std::mt19937 random(7);
  MESSAGE("seed 7");
  for (int round = 0; round < 40; ++round) {
    std::vector<std::string> more, merges, parts = {"a", "b", "c"};
    for (int i = 0; i < 25; ++i) {
      const std::string left = parts[random() % parts.size()], right = parts[random() % parts.size()];
      if (std::find(parts.begin(), parts.end(), left + right) == parts.end()) {
        parts.push_back(left + right);
        more.push_back(left + right);
      }
      merges.push_back(left + ' ' + right);
    }
    std::shuffle(merges.begin(), merges.end(), random);
    TokenizerData data = small_data(more, merges);
    data.pattern.clear();
    const Tokenizer by_merges(data);
    data.merges.clear();
    const Tokenizer by_ids(data);
    for (int n = 1; n < 60; ++n) {
      std::string text;
      for (int i = 0; i < n; ++i) text += char('a' + random() % 3);
      const auto slowly = [&](const Tokenizer &tokenizer, auto rank_of) {
        std::vector<std::string> symbols;
        if (tokenizer.id_of(text) && &tokenizer == &by_ids)
          return std::vector<int32_t>{*tokenizer.id_of(text)};
        for (const char c : text) symbols.emplace_back(1, c);
        for (;;) {
          size_t best = 0, best_rank = SIZE_MAX;
          for (size_t i = 0; i + 1 < symbols.size(); ++i)
            if (const size_t rank = rank_of(symbols[i], symbols[i + 1]); rank < best_rank)
              best = i, best_rank = rank;
          if (best_rank == SIZE_MAX) break;
          symbols[best] += symbols[best + 1];
          symbols.erase(symbols.begin() + long(best) + 1);
        }
        std::vector<int32_t> ids;
        for (const std::string &symbol : symbols) ids.push_back(tokenizer.id_of(symbol).value());
        return ids;
      };
      const auto merge_rank = [&](const std::string &left, const std::string &right) {
        const auto last = std::find(merges.rbegin(), merges.rend(), left + ' ' + right);
        return last == merges.rend() ? SIZE_MAX : size_t(merges.rend() - last);
      };
      const auto id_rank = [&](const std::string &left, const std::string &right) {
        const auto id = by_ids.id_of(left + right);
        return id ? size_t(*id) : SIZE_MAX;
      };
      CHECK(by_merges.encode(text, false) == slowly(by_merges, merge_rank));
      CHECK(by_ids.encode(text, false) == slowly(by_ids, id_rank));
    }
  }
}

TEST_CASE("tokenizer: any bytes come back") {
  const std::string folder = test::shared_path("tokenizers/gpt2");
  if (folder.empty()) return;
  const TokenizerData data = load(folder + "/tokenizer.json");
  std::mt19937 random(3);
  for (const Tokenizer &tokenizer : {Tokenizer(data), Tokenizer(as_ranked_bytes(data))}) {
    for (int i = 0; i < 2000; ++i) {
      std::string text;
      for (size_t n = random() % 40; n > 0; --n)
        text += char(random() % 4 ? random() : "e \xE2\x82\xAC"[random() % 5]);
      CHECK(bytes_of(tokenizer, tokenizer.encode(text, false)) == text);
    }
  }
}

TEST_CASE("tokenizer: a megabyte without a break takes no quadratic time") {
  const std::string folder = test::shared_path("tokenizers/gpt2");
  if (folder.empty()) return;
  const TokenizerData data = load(folder + "/tokenizer.json");
  for (const Tokenizer &tokenizer : {Tokenizer(data), Tokenizer(as_ranked_bytes(data))}) {
    for (const std::string unit : {"a", " ", "!", "\n", "\xC3\xA9", "\xFF", "a ", "ab1 ", "<"}) {
      std::string text;
      while (text.size() < 1'000'000) text += unit;
      const auto begin = std::chrono::steady_clock::now();
      const auto ids = tokenizer.encode(text, true);
      const std::chrono::duration<double> seconds = std::chrono::steady_clock::now() - begin;
      CHECK(bytes_of(tokenizer, ids) == text);
      CHECK(seconds.count() < 30); // quadratic would be hours
    }
  }
}

TEST_CASE("tokenizer: hostile vocabularies") {
  CHECK(error_of({}) == "tokenizer: the vocabulary is empty");
  CHECK(error_of(small_data({"ab"}, {"ab"})) ==
        "tokenizer: merge 0 is 'ab', expected two tokens with one space between");
  CHECK(error_of(small_data({"ab"}, {"a b", "a b c"})).find("merge 1 is 'a b c'") != std::string::npos);
  CHECK(error_of(small_data({"ab"}, {" b"})).find("merge 0") != std::string::npos);
  CHECK(error_of(small_data({"ab"}, {""})).find("merge 0") != std::string::npos);
  CHECK(error_of(small_data({"ab"}, {"a b", "a c"})) ==
        "tokenizer: merge 1 ('a c') needs the token 'ac', which the vocabulary lacks");
  CHECK(error_of(small_data({}, {"xx y"})).find("the token 'xx'") != std::string::npos);
  CHECK(error_of(small_data({"ab"}, {"#version: 0.2", "a b"})) == "no error");

  TokenizerData wrong_types = small_data({}, {});
  wrong_types.types.resize(3);
  CHECK(error_of(wrong_types) == "tokenizer: 256 tokens, but 3 token types");
  TokenizerData raw_with_merges = small_data({"ab"}, {"a b"});
  raw_with_merges.tokens_are_bytes = true;
  CHECK(error_of(raw_with_merges).find("raw bytes") != std::string::npos);

  using Ids = std::vector<int32_t>;
  const Tokenizer twice(small_data({"ab", "ab"}, {"a b"}));
  CHECK(twice.encode("ab", false) == Ids{256});
  CHECK(twice.decode(Ids{256, 257}, false) == "abab");
  const Tokenizer twice_ranked(small_data({"ab", "ab", ""}, {}));
  CHECK(twice_ranked.encode("ab", false) == Ids{256});
  CHECK(twice_ranked.decode(Ids{258}, false).empty());

  TokenizerData lacking;
  lacking.tokens = {"a", "b", "ab", "a b", "\xFF"};
  const Tokenizer few(
      lacking); // no merges; "a b" and 0xFF are outside the alphabet: they stand for themselves
  CHECK(few.encode("axb\n", false) == Ids{2}); // "x" is left out before merging
  CHECK(few.decode(Ids{3, 4}, false) == "a b\xEF\xBF\xBD");
}

TEST_CASE("pre-tokenizer: patterns") {
  const auto error_with = [](const std::string &pattern) {
    TokenizerData data = small_data({}, {});
    data.pattern = pattern;
    return error_of(data);
  };
  CHECK(error_with("(a").find("invalid pre-tokenizer pattern: missing closing parenthesis (near offset 2)") !=
        std::string::npos);
  CHECK(error_with("\\").find("invalid pre-tokenizer pattern") != std::string::npos);
  CHECK(error_with("[\xFF]").find("invalid pre-tokenizer pattern") != std::string::npos);
  CHECK(error_with("\\C").find("invalid pre-tokenizer pattern") != std::string::npos);
  CHECK(error_with(std::string(1 << 20, '(')).find("65536") != std::string::npos);
  CHECK(error_with(std::string(5000, '(')).find("invalid pre-tokenizer pattern") != std::string::npos);

  const auto split = [](const std::string &pattern, std::string_view text) {
    std::vector<std::string_view> pieces;
    Pretokenizer("test", pattern).split(text, pieces);
    return pieces;
  };
  using Pieces = std::vector<std::string_view>;
  CHECK(split("", "a b") == Pieces{"a b"});
  CHECK(split("b*", "abba") == Pieces{"a", "bb", "a"}); // never empty
  CHECK(split("z", "") == Pieces{});
  CHECK(split(kByteLevelPattern, "a\xFF\xC3 b") == Pieces{"a", "\xFF\xC3", " b"});
  CHECK(split("\\s+|\\S+", "a\xE1\xA0\x8E b") ==
        Pieces{"a\xE1\xA0\x8E", " ", "b"}); // U+180E is no white space
  CHECK(split("[^\\s]+", "a\\s b") == Pieces{"a\\s", " ", "b"});
  CHECK_THROWS_AS(split("(?:a+)+(?:a+)+(?:a+)+$", std::string(5000, 'a') + 'b'),
                  Error); // backtracks without end
  CHECK_THROWS_AS(split("(?R)", "a"), Error);
}

TEST_CASE("byte alphabet: every byte there and back") {
  for (int byte = 0; byte < 256; ++byte)
    CHECK(alphabet_to_bytes(byte_to_alphabet(uint8_t(byte))) == std::string(1, char(byte)));
  CHECK(byte_to_alphabet(' ') == "\xC4\xA0"); // Ġ
  CHECK_FALSE(alphabet_to_bytes(" "));
  CHECK_FALSE(alphabet_to_bytes("\xC5\x84")); // U+0144
  CHECK_FALSE(alphabet_to_bytes("\xE4\xB8\xAD"));
  CHECK_FALSE(alphabet_to_bytes("\xC4"));
}

TEST_CASE("utf-8: one replacement per maximal subpart, streamed or not") {
  const std::string mark = "\xEF\xBF\xBD";
  CHECK(utf8_replace_invalid("ok \xF0\x9F\x9A\x80") == "ok \xF0\x9F\x9A\x80");
  // The standard's example: 61 F1 80 80 E1 80 C2 62 80 63 80 BF 64
  CHECK(utf8_replace_invalid("a\xF1\x80\x80\xE1\x80\xC2"
                             "b\x80"
                             "c\x80\xBF"
                             "d") == "a" + mark + mark + mark + "b" + mark + "c" + mark + mark + "d");
  CHECK(utf8_replace_invalid("\xC0\xAF") == mark + mark);            // overlong
  CHECK(utf8_replace_invalid("\xED\xA0\x80") == mark + mark + mark); // surrogate
  CHECK(utf8_replace_invalid("\xF4\x90\x80\x80") == mark + mark + mark + mark);
  CHECK(utf8_replace_invalid("\xF0\x9F\x9A") == mark);

  std::mt19937 random(11);
  const std::string bytes = "a\x80\xBF\xC3\xE2\x82\xED\xA0\xF0\x9F\x9A\xF4\x90\xFF";
  for (int i = 0; i < 3000; ++i) {
    std::string text, streamed;
    for (size_t n = random() % 12; n > 0; --n) text += bytes[random() % bytes.size()];
    Utf8Stream stream;
    for (size_t at = 0; at < text.size();) {
      const size_t n = 1 + random() % 3;
      streamed += stream.push(std::string_view(text).substr(at, n));
      at += n;
    }
    streamed += stream.finish();
    CHECK(streamed == utf8_replace_invalid(text));
  }
}
