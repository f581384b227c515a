#include "base/error.h"
#include "support/shared_folder.h"
#include "support/tokenizer_folder.h"
#include "text/byte_alphabet.h"
#include "text/growth.h"
#include "text/token_stream.h"
#include "text/tokenizer.h"
#include "text/utf8.h"

#include <algorithm>
#include <chrono>
#include <cstring>
#include <doctest/doctest.h>
#include <random>

using namespace fovea;

namespace {
constexpr EncodeOptions kSpecial = {.allow_special = true};

/// GPT-2's, with its merges and, as a ggml file has it, without.
std::vector<TokenizerData> published() {
  const std::string folder = test::shared_path("tokenizers/gpt2");
  if (folder.empty()) return {};
  TokenizerData data = *read_tokenizer(test::folder_source(folder), 50257);
  TokenizerData ranked = data;
  ranked.merges.clear();
  return {std::move(data), std::move(ranked)};
}

std::string bytes_of(const Tokenizer &tokenizer, const std::vector<int32_t> &ids) {
  std::string out;
  for (const int32_t id : ids) out += tokenizer.token_bytes(id);
  return out;
}

/// All single bytes, then `more` (in the byte alphabet).
TokenizerData small_data(const std::vector<std::string> &more, const std::vector<std::string> &merges) {
  TokenizerData data;
  for (int byte = 0; byte < 256; ++byte) data.tokens.push_back(byte_to_alphabet(uint8_t(byte)));
  data.tokens.insert(data.tokens.end(), more.begin(), more.end());
  data.merges = merges;
  return data;
}

template <class Call> std::string error_of_call(Call call) {
  try {
    call();
  } catch (const Error &error) {
    CHECK(error.code() == ErrorCode::InvalidFile);
    return error.what();
  }
  return "no error";
}

/// A precompiled charsmap with one rule: 'a' becomes `replacement`.
std::string charsmap_of_a(const std::string &replacement) {
  std::vector<uint32_t> trie(1024);
  trie[0] = 256u << 10;                         // children of the root: 256 ^ label
  trie[256 ^ 'a'] = 512u << 10 | 1u << 8 | 'a'; // its leaf: 512 further on
  trie[256 ^ 'a' ^ 512] = 0x80000000u;          // at 0 of the replacements
  std::string out(4 + trie.size() * 4, '\0');
  const uint32_t n_bytes = uint32_t(trie.size() * 4);
  std::memcpy(out.data(), &n_bytes, 4);
  std::memcpy(out.data() + 4, trie.data(), n_bytes);
  return out + replacement + '\0';
}

std::string error_of(const TokenizerData &data) {
  return error_of_call([&] { Tokenizer{data}; });
}
} // namespace

TEST_CASE("tokenizer: special and added tokens in text") {
  TokenizerData data = small_data({"<|a|>", "<|a|>b", "[x]", "gone"}, {});
  data.types.assign(260, TokenType::Normal);
  data.types[256] = data.types[257] = TokenType::Special;
  data.types[258] = TokenType::Added;
  data.types[259] = TokenType::Unused;
  const Tokenizer tokenizer(data);
  using Ids = std::vector<int32_t>;
  CHECK(tokenizer.encode("<|a|>", kSpecial) == Ids{256});
  CHECK(tokenizer.encode("x<|a|><|a|>b<|a|", kSpecial) == Ids{'x', 256, 257, '<', '|', 'a', '|'});
  CHECK(tokenizer.encode("<|a|>b", kSpecial) == Ids{257}); // the longest
  CHECK(tokenizer.encode("<|a|>", {}).size() == 5);
  CHECK(tokenizer.encode("[x]", {}) == Ids{258});
  CHECK(tokenizer.encode("gone", kSpecial).size() == 4);
  CHECK(tokenizer.decode(Ids{256, 258, 259}, true) == "[x]");
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
  data.pre_tokenizer = {"byte_level prefix_space=true"};
  const Tokenizer tokenizer(data);
  CHECK(tokenizer.encode("a", kSpecial) == std::vector<int32_t>{256});
  CHECK(tokenizer.encode(" a", kSpecial) == std::vector<int32_t>{256});
  CHECK(tokenizer.encode("a<s>a", kSpecial) == std::vector<int32_t>{256, 257, 256});
  CHECK(tokenizer.encode("", kSpecial).empty());
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
    data.pre_tokenizer = {"byte_level regex=false"};
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
      CHECK(by_merges.encode(text, {}) == slowly(by_merges, merge_rank));
      CHECK(by_ids.encode(text, {}) == slowly(by_ids, id_rank));
    }
  }
}

TEST_CASE("tokenizer: any bytes come back") {
  std::mt19937 random(3);
  for (const TokenizerData &data : published()) {
    const Tokenizer tokenizer(data);
    for (int i = 0; i < 2000; ++i) {
      std::string text;
      for (size_t n = random() % 40; n > 0; --n)
        text += char(random() % 4 ? random() : "e \xE2\x82\xAC"[random() % 5]);
      CHECK(bytes_of(tokenizer, tokenizer.encode(text, {})) == text);
    }
  }
}

TEST_CASE("tokenizer: a megabyte without a break takes no quadratic time") {
  for (const TokenizerData &data : published()) {
    const Tokenizer tokenizer(data);
    for (const std::string unit : {"a", " ", "!", "\n", "\xC3\xA9", "\xFF", "a ", "ab1 ", "<"}) {
      std::string text;
      while (text.size() < 1'000'000) text += unit;
      const auto begin = std::chrono::steady_clock::now();
      const auto ids = tokenizer.encode(text, kSpecial);
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

  using Ids = std::vector<int32_t>;
  const Tokenizer twice(small_data({"ab", "ab"}, {"a b"}));
  CHECK(twice.encode("ab", {}) == Ids{256});
  CHECK(twice.decode(Ids{256, 257}, false) == "abab");
  const Tokenizer twice_ranked(small_data({"ab", "ab", ""}, {}));
  CHECK(twice_ranked.encode("ab", {}) == Ids{256});
  CHECK(twice_ranked.decode(Ids{258}, false).empty());

  TokenizerData lacking;
  lacking.tokens = {"a", "b", "ab", "a b", "\xFF"};
  const Tokenizer few(
      lacking); // no merges; "a b" and 0xFF are outside the alphabet: they stand for themselves
  CHECK(few.encode("axb\n", {}) == Ids{2}); // "x" is left out before merging
  CHECK(few.decode(Ids{3, 4}, false) == "a b\xEF\xBF\xBD");
}

TEST_CASE("tokenizer: vocabularies and steps that are not UTF-8 leave texts whole") {
  const std::string text = "a\xC3\xA9 b\xE2\x82\xAC"; // "aé b€"
  for (const bool normalized : {false, true})
    for (const std::string token : {"\xA9", "\xC3", "\xE2\x82", "\x82\xAC", " b\xE2", "\xC3\xA9\xFF"}) {
      CAPTURE(normalized);
      CAPTURE(token.size());
      TokenizerData data = small_data({token}, {});
      data.types.assign(data.tokens.size(), TokenType::Normal);
      data.types.back() = TokenType::Added;
      data.added = {{.id = 256, .normalized = normalized}};
      data.normalizer = {"nfc", "lowercase", "strip"};
      data.pre_tokenizer = {"whitespace_split", "byte_level regex=false"};
      data.decoder = {"byte_level"};
      const Tokenizer tokenizer(data);
      const std::vector<int32_t> ids = tokenizer.encode(text, {});
      CHECK(std::find(ids.begin(), ids.end(), 256) == ids.end());
      CHECK(tokenizer.decode(ids, false) == "a\xC3\xA9"
                                            "b\xE2\x82\xAC");
    }
  TokenizerData data = small_data({"\xC3", "a\xA9"}, {});
  data.decoder = {R"(replace regex="." with="x")"};
  const std::vector<int32_t> ids{256, 257};
  CHECK(Tokenizer(data).decode(ids, false) == "xxx");
  for (const std::string step :
       {"prepend text=\"\xC3\"", "replace text=\"\xA9\" with=b", "replace text=b with=\"\xFF\""}) {
    data = small_data({}, {});
    data.normalizer = {step};
    CHECK(error_of(data).find("' is not UTF-8") != std::string::npos);
  }
}

TEST_CASE("tokenizer: steps that make a text longer again and again") {
  const std::string once = R"(replace text="a" with="aa")", by_regex = R"(replace regex="a" with="aa")";
  const auto error = [](const std::string &list) {
    return "tokenizer: fovea.tokenizer." + list + ": the steps make a text more than 64 times as long";
  };
  for (const std::string &step : {once, by_regex, std::string("byte_level")}) {
    CAPTURE(step);
    TokenizerData data = small_data({}, {});
    data.normalizer.assign(20, step);
    const std::string text = step == "byte_level" ? "\xC3\xA9\xC3\xA9" : "aaaa";
    CHECK(error_of_call([&] { Tokenizer(data).encode(text, {}); }) == error("normalizer"));
    data.normalizer.resize(5);
    CHECK(Tokenizer(data).encode(text, {}).size() >= 4 * 32);
  }
  TokenizerData data = small_data({}, {}); // both lists together
  std::string text;
  while (text.size() < 200) text += "\xC3\xA9";
  data.normalizer.assign(5, "byte_level");
  data.pre_tokenizer = {"byte_level regex=false"};
  CHECK(Tokenizer(data).encode(text, {}).size() == 32 * 200); // characters of two bytes
  data.pre_tokenizer.push_back("byte_level regex=false");
  CHECK(error_of_call([&] { Tokenizer(data).encode(text, {}); }) == error("pre_tokenizer"));

  for (const std::string step : {"precompiled rule=cluster", "precompiled rule=longest"}) {
    CAPTURE(step);
    data = small_data({}, {});
    data.normalizer = {step};
    data.charsmap = charsmap_of_a(std::string(60, 'b'));
    CHECK(Tokenizer(data).encode(std::string(200, 'a'), {}) == std::vector<int32_t>(200 * 60, 'b'));
    data.charsmap = charsmap_of_a(std::string(100, 'b'));
    CHECK(error_of_call([&] { Tokenizer(data).encode(std::string(200, 'a'), {}); }) == error("normalizer"));
  }
  for (const std::string &step : {once, by_regex}) {
    CAPTURE(step);
    data = small_data({}, {});
    const std::vector<int32_t> ids(20, 'a'), one{'a'};
    data.decoder.assign(20, step);
    CHECK(error_of_call([&] { Tokenizer(data).decode(ids, false); }) == error("decoder"));
    data.decoder.resize(6); // 64 times
    const Tokenizer tokenizer(data);
    CHECK(tokenizer.decode(ids, false).size() == 64 * ids.size());
    TokenStream stream(tokenizer, false); // counts anew for each text, and with each token
    for (int round = 0; round < 3; ++round) {
      std::string out;
      for (int i = 0; i < 1000; ++i) out += stream.push('a');
      CHECK((out + stream.finish()).size() == 64000);
    }
  }
}
