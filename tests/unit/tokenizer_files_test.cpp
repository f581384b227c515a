// Tokenizers from every form they are published in.
#include "support/error_text.h"
#include "support/shared_folder.h"
#include "support/tokenizer_folder.h"

#include <cstring>

using namespace fovea;

namespace {
using Ids = std::vector<int32_t>;

/// A source of texts alone.
Source texts(const std::vector<std::pair<std::string, std::string>> &files) {
  Source source("model", "test");
  for (const auto &[name, text] : files) source.add_text(name, text);
  return source;
}

size_t n_different(const Tokenizer &tokenizer, const std::string &golden) {
  size_t n = 0;
  for (const Json &row : test::read_json(golden))
    n += tokenizer.encode(row["text"].get<std::string>(), {.allow_special = true}) != row["ids"].get<Ids>() ||
         tokenizer.decode(row["ids"].get<Ids>(), true) != row["decoded"];
  return n;
}

std::string merges_txt(const Json &model) {
  std::string out = "#version: 0.2\n";
  for (const Json &merge : model["merges"])
    out += merge.is_string() ? merge.get<std::string>() + "\n"
                             : concat(merge[0].get<std::string>(), " ", merge[1].get<std::string>(), "\n");
  return out;
}

// A protocol buffer, written by hand.
std::string varint(uint64_t value) {
  std::string out;
  for (; value >= 0x80; value >>= 7) out += char(value | 0x80);
  return out + char(value);
}
std::string field(int number, std::string_view bytes) {
  return varint(uint64_t(number) << 3 | 2) + varint(bytes.size()) + std::string(bytes);
}
std::string field(int number, uint64_t value) { return varint(uint64_t(number) << 3) + varint(value); }
std::string piece(std::string_view text, float score, uint64_t type) {
  std::string bits(4, 0);
  std::memcpy(bits.data(), &score, 4);
  return field(1, field(1, text) + varint(2 << 3 | 5) + bits + field(3, type));
}

} // namespace

TEST_CASE("tokenizer files: vocab.json with merges.txt") {
  const std::string folder = test::shared_path("tokenizers");
  if (folder.empty()) return;
  for (const auto &[name, n_tokens] : {std::pair("gpt2", 50257u), std::pair("clip", 49408u)}) {
    const std::string path = concat(folder, "/", name);
    CAPTURE(path);
    const Json model = test::read_json(path + "/tokenizer.json")["model"];
    const Source source = texts({{"vocab.json", model["vocab"].dump()}, {"merges.txt", merges_txt(model)}});
    CHECK(n_different(test::load_through_file(*read_tokenizer(source, n_tokens)), path + "/golden.json") ==
          0);
  }
}

TEST_CASE("tokenizer files: vocab.txt") {
  const std::string folder = test::shared_path("golden/cases/bert");
  if (folder.empty()) return;
  const Json vocab = test::read_json(folder + "/tokenizer.json")["model"]["vocab"];
  std::vector<std::string> tokens(vocab.size());
  for (const auto &[token, id] : vocab.items()) tokens[id.get<size_t>()] = token;
  std::string lines;
  for (const std::string &token : tokens) lines += token + "\r\n";
  const auto data = read_tokenizer(texts({{"vocab.txt", lines}}), uint32_t(tokens.size()));
  CHECK(n_different(test::load_through_file(*data), folder + "/tokenizer_golden.json") == 0);
  CHECK(data->special.cls == 2);
  CHECK(data->special.pad == 0);

  const Source cased = texts({{"vocab.txt", "[UNK]\n[CLS]\n[SEP]\nCa\nca\n##t\ne\n"},
                              {"tokenizer_config.json", R"({"do_lower_case": false})"}});
  CHECK(Tokenizer(*read_tokenizer(cased, 7)).encode("Cat cat", {}) == Ids{1, 3, 5, 4, 5, 2});
  const Source lower = texts({{"vocab.txt", "[UNK]\n[CLS]\n[SEP]\nCa\nca\n##t\ne\n"},
                              {"tokenizer_config.json", R"({"do_lower_case": true})"}});
  CHECK(Tokenizer(*read_tokenizer(lower, 7)).encode("Cat \u00c9", {}) == Ids{1, 4, 5, 6, 2});
}

TEST_CASE("tokenizer files: symbols of a formal language in vocab.txt") {
  const std::string folder = test::shared_path("models/rxnmapper-albert");
  if (folder.empty()) return;
  const Tokenizer tokenizer(*read_tokenizer(test::folder_source(folder), 591));
  const Ids ids = tokenizer.encode("CC(=O)[C@H]Br>>c1ccccc1", {});
  std::string joined;
  for (const int32_t id : ids) joined += tokenizer.token_text(id) + " ";
  CHECK(joined == "[CLS] C C ( = O ) [C@H] Br >> c 1 c c c c c 1 [SEP] ");
}

TEST_CASE("tokenizer files: a SentencePiece model") {
  const std::string folder = test::shared_path("tokenizers/t5-small");
  if (folder.empty()) return;
  const TokenizerData known = *read_tokenizer(test::folder_source(folder), 32100);
  std::string bytes;
  for (size_t id = 0; id < 32000; ++id)
    bytes += piece(known.tokens[id], float(known.scores[id]),
                   id == 2                                ? 2
                   : known.types[id] == TokenType::Normal ? 1
                                                          : 3);
  bytes += field(2, field(3, 1) + field(40, 2) + field(41, ~0ull) + field(42, 1) + field(43, 0));
  bytes += field(3, field(1, "nmt_nfkc") + field(2, known.charsmap));
  const Source source = texts({{"spiece.model", bytes}, {"config.json", R"({"model_type": "t5"})"}});
  const auto data = read_tokenizer(source, 32128);
  CHECK(n_different(test::load_through_file(*data), folder + "/golden.json") == 0);
  CHECK(data->tokens[32099] == "<extra_id_0>");
  CHECK(data->types[32127] == TokenType::Unused);

  for (size_t n = 0; n < 2000; n += 7) { // truncated anywhere
    const Source cut = texts({{"spiece.model", bytes.substr(0, bytes.size() - n * 300)}});
    const std::string error = test::error_text([&] { read_tokenizer(cut, 32128); });
    CHECK_MESSAGE((error == "no error" || error.find("model/spiece.model: ") == 0), error);
  }
}

TEST_CASE("tokenizer files: SentencePiece byte pairs, GGUF and tokenizer.json agree") {
  const std::string folder = test::shared_path("models/stories260K");
  if (folder.empty()) return;
  const Tokenizer json = test::load_folder(folder);
  const Source gguf = open_source(folder + "/stories260K-f32.gguf");
  REQUIRE(gguf.gguf_vocabulary());
  const Tokenizer from_gguf = test::load_through_file(*read_tokenizer(gguf, 512));
  const GgufVocabulary &vocabulary = *gguf.gguf_vocabulary();
  std::string bytes;
  for (size_t id = 0; id < vocabulary.tokens.size(); ++id)
    bytes += piece(vocabulary.tokens[id], vocabulary.scores[id], uint64_t(vocabulary.types[id]));
  bytes += field(2, field(3, 2) + field(35, 1) + field(40, 0) + field(41, 1) + field(42, 2));
  const Tokenizer from_model(*read_tokenizer(texts({{"tokenizer.model", bytes}}), 512));
  for (const char *text :
       {"", " ", "Once upon a time", "  two  spaces ", "caf\u00e9 \u6ce8 x", "line\nline\t.", "<s>x</s>"})
    for (const bool allow : {false, true}) {
      CAPTURE(text);
      const EncodeOptions options{.allow_special = allow};
      CHECK(from_gguf.encode(text, options) == json.encode(text, options));
      CHECK(from_model.encode(text, options) == json.encode(text, options));
      CHECK(from_gguf.decode(json.encode(text, options), true) ==
            json.decode(json.encode(text, options), true));
    }
}

TEST_CASE("tokenizer files: a vocabulary beside a SentencePiece model") {
  const std::string mark = "\u2581";
  const std::string spm = piece("<unk>", 0, 2) + piece("</s>", 0, 3) + piece(mark + "ab", -1, 1) +
                          piece(mark, -3, 1) + piece("a", -4, 1) + piece("b", -4, 1) + piece("cc", -2, 1) +
                          field(2, field(3, 1));
  const Json vocab = {{"</s>", 0}, {"<unk>", 1},   {mark + "ab", 2}, {mark, 3},   {"a", 4},
                      {"b", 5},    {">>fra<<", 6}, {mark + "ba", 7}, {"<pad>", 8}};
  const Tokenizer tokenizer = test::load_through_file(
      *read_tokenizer(texts({{"vocab.json", vocab.dump()}, {"source.spm", spm}, {"target.spm", spm}}), 9));
  CHECK(tokenizer.encode("ab  ba", {}) == Ids{2, 3, 5, 4, 0}); // "▁ba" is the other language's
  CHECK(tokenizer.encode(">>fra<<ab", {}) == Ids{6, 2, 0});
  CHECK(tokenizer.encode("ccbd", {}) == Ids{3, 1, 5, 1, 0}); // "cc" is cut out, and then unknown
  CHECK(tokenizer.decode(Ids{2, 7, 4, 0, 8}, true) == "ab baa");
  CHECK(tokenizer.special().pad == 8);
}

TEST_CASE("tokenizer files: tokenizer_config.json") {
  const Json file = {{"model",
                      {{"type", "BPE"},
                       {"vocab", {{"a", 0}, {"<s>", 1}, {"</s>", 2}, {"\u0120", 3}}},
                       {"merges", Json::array()}}},
                     {"added_tokens", Json::array()},
                     {"pre_tokenizer", {{"type", "ByteLevel"}, {"add_prefix_space", false}}},
                     {"decoder", {{"type", "ByteLevel"}}}};
  const auto with = [&](const char *config) {
    return Tokenizer(
        *read_tokenizer(texts({{"tokenizer.json", file.dump()}, {"tokenizer_config.json", config}}), 6));
  };
  CHECK(with("{}").encode("a", {}) == Ids{0});
  CHECK(with(R"({"add_prefix_space": true})").encode("a", {}) == Ids{3, 0});
  const char *ends =
      R"({"bos_token": "<s>", "eos_token": {"content": "</s>"}, "add_bos_token": true, "add_eos_token": true})";
  CHECK(with(ends).encode("a", {}) == Ids{1, 0, 2});
  CHECK(with(ends).encode("a<s>", {.add_special = false, .allow_special = true}) == Ids{0, 1});
  CHECK(with(ends).special().eos == 2);
  const char *added =
      R"({"added_tokens_decoder": {"4": {"content": "<x>", "special": true}, "99": {"content": "y"}, "z": 1}})";
  CHECK(with(added).encode("<x>a", {.allow_special = true}) == Ids{4, 0});
  CHECK(with(R"({"clean_up_tokenization_spaces": true})").decode(Ids{0, 3, 0}, true) == "a a");
}

TEST_CASE("tokenizer files: what is damaged or unknown is one error") {
  const auto error = [](const Json &file) {
    return test::error_text([&] { Tokenizer{*read_tokenizer(texts({{"tokenizer.json", file.dump()}}), 8)}; });
  };
  const Json model = {{"type", "BPE"}, {"vocab", {{"a", 0}}}, {"merges", Json::array()}};
  CHECK(error(Json::object()).find("model/tokenizer.json: no 'model'") == 0);
  CHECK(error({{"model", {{"type", "Magic"}, {"vocab", Json::object()}}}}).find("'Magic'") !=
        std::string::npos);
  CHECK(error({{"model", {{"type", "BPE"}, {"vocab", {{"a", "x"}}}}}}).find("has no id") !=
        std::string::npos);
  CHECK(error({{"model", {{"type", "Unigram"}, {"vocab", {{"a", 0}}}}}}).find("another kind") !=
        std::string::npos);
  CHECK(error({{"model", model}, {"normalizer", {{"type", "Magic"}}}}).find("normalizer of type 'Magic'") !=
        std::string::npos);
  CHECK(error({{"model", model}, {"pre_tokenizer", {{"type", "Split"}}}}).find("pattern") !=
        std::string::npos);
  CHECK(error({{"model", model}, {"decoder", 3}}).find("decoder") != std::string::npos);
  CHECK(error({{"model", model},
               {"post_processor", {{"type", "BertProcessing"}, {"sep", {"x", 99}}, {"cls", {"y", 1}}}}})
            .find("token 99") != std::string::npos);
  CHECK(error({{"model", {{"type", Json::object()}, {"vocab", {{"a", 0}}}, {"merges", "none"}}}})
            .find("'merges' is no list") != std::string::npos);
  const auto in_template = [](const Json &type) {
    return Json::array({{{"Sequence", {{"id", "A"}, {"type_id", type}}}}});
  };
  for (const Json &type : {Json("x"), Json(-1), Json(1e300), Json(nullptr)})
    CHECK(error({{"model", model},
                 {"post_processor",
                  {{"type", "TemplateProcessing"}, {"single", in_template(0)}, {"pair", in_template(type)}}}})
              .find("type_id that is no number") != std::string::npos);
  CHECK(error({{"model", model}, {"added_tokens", {{{"id", 1}}}}}).find("no content") != std::string::npos);
  CHECK(
      error({{"model", model}, {"normalizer", {{"type", "Precompiled"}, {"precompiled_charsmap", "AAAA*"}}}})
          .find("base64") != std::string::npos);
  CHECK(error({{"model", model}, {"normalizer", {{"type", "Precompiled"}, {"precompiled_charsmap", "AAAA"}}}})
            .find("truncated") != std::string::npos);
}
