// Hugging Face folders: what is read, and what hostile or broken ones say.
#include "converter/sources/source.h"
#include "tests/support/source_files.h"
#include "tests/support/temp_folder.h"

#include <doctest/doctest.h>
#include <random>

using namespace fovea;
using namespace fovea::test;

namespace {

/// The error's text for a folder whose model.safetensors is `bytes`, without the file's path; "read" when it
/// is fine.
std::string fault(const TempFolder &folder, const std::string &bytes) {
  write_file(folder / "config.json", "{}");
  write_file(folder / "model.safetensors", bytes);
  try {
    (void)open_source(folder.path());
  } catch (const Error &error) {
    std::string text = error.what();
    const std::string path = folder / "model.safetensors: ";
    return text.starts_with(path) ? text.substr(path.size()) : text;
  }
  return "read";
}

std::string one(const std::string &tensor) { return "{\"a\":" + tensor + "}"; }

} // namespace

TEST_CASE("safetensors: every dtype becomes floats, whole or in pieces") {
  const TempFolder folder;
  const std::vector<RawTensor> tensors = {
      f32_tensor("f32", {2, 2}, {1, 2, 3, 4}),
      {"f16", "F16", {3}, raw(std::vector<uint16_t>{0x3C00, 0xC000, 0x0001})},
      {"bf16", "BF16", {2}, raw(std::vector<uint16_t>{0x3F80, 0xC040})},
      {"f64", "F64", {1}, raw(0.25)},
      {"i64", "I64", {2}, raw(std::vector<int64_t>{-3, 9})},
      {"u8", "U8", {2}, raw(std::vector<uint8_t>{0, 255})},
      {"bool", "BOOL", {2}, raw(std::vector<uint8_t>{0, 1})},
      {"scalar", "F32", {}, raw(7.f)},
      {"empty", "F32", {0, 4}, ""}};
  CHECK(fault(folder, safetensors(tensors)) == "read");
  const Source source = open_source(folder.path());
  CHECK(source.format() == "Hugging Face folder");
  CHECK(source.tensors().size() == 9);
  CHECK(source.read("f32") == std::vector<float>{1, 2, 3, 4});
  CHECK(source.read("f16") == std::vector<float>{1, -2, 0x1p-24f});
  CHECK(source.read("bf16") == std::vector<float>{1, -3});
  CHECK(source.read("f64") == std::vector<float>{0.25f});
  CHECK(source.read("i64") == std::vector<float>{-3, 9});
  CHECK(source.read("u8") == std::vector<float>{0, 255});
  CHECK(source.read("bool") == std::vector<float>{0, 1});
  CHECK(source.read("scalar") == std::vector<float>{7});
  CHECK(source.read("empty").empty());
  CHECK(source.find("f32")->shape == Shape{2, 2});
  std::vector<float> piece(2);
  source.read(*source.find("f32"), 1, piece);
  CHECK(piece == std::vector<float>{2, 3});
  CHECK_THROWS_AS(source.read(*source.find("f32"), 3, piece), Error);
  CHECK_THROWS_AS((void)source.read("nothing"), Error);
  CHECK(source.text("config.json") == "{}");
  CHECK_FALSE(source.text("tokenizer.json"));
}

TEST_CASE("safetensors: a file in place of its folder") {
  const TempFolder folder;
  write_file(folder / "config.json", "{}");
  write_file(folder / "fine.safetensors", safetensors({f32_tensor("w", {1}, {3})}));
  const Source source = open_source(folder / "fine.safetensors");
  CHECK(source.read("w") == std::vector<float>{3});
  CHECK(source.text("config.json") == "{}");
}

TEST_CASE("safetensors: a large tensor is read across chunks") {
  const TempFolder folder;
  std::vector<float> values(200'003);
  for (size_t i = 0; i < values.size(); ++i) values[i] = float(i);
  CHECK(fault(folder, safetensors({f32_tensor("w", {values.size()}, values)})) == "read");
  CHECK(open_source(folder.path()).read("w") == values);
}

TEST_CASE("safetensors: faults are named") {
  const TempFolder folder;
  const std::string zeros(64, '\0');
  const auto header = [&](const std::string &text) { return fault(folder, safetensors(text, zeros)); };
  CHECK(fault(folder, "abc").starts_with("truncated: header length at byte 0"));
  CHECK(fault(folder, raw(uint64_t(1) << 40) + "{}").starts_with("a header of 1099511627776 bytes"));
  CHECK(header("{\"a\"").starts_with("bad safetensors header: not JSON at byte"));
  CHECK(header("[]") == "bad safetensors header: unexpected an array at 'the start'");
  CHECK(header(std::string(100000, '[')).starts_with("bad safetensors header: unexpected an array"));
  CHECK(header("{\"a\":{\"b\":{\"c\":{}}}}").starts_with("bad safetensors header: unexpected an"));
  CHECK(header(one(R"({"dtype":"F32","shape":[2],"data_offsets":[0,8]})")) == "read");
  CHECK(header(one(R"({"dtype":"F32","shape":[2],"data_offsets":[0,12]})")) ==
        "tensor 'a' f32 [2] needs 8 bytes, its data_offsets are [0, 12]");
  CHECK(header(one(R"({"dtype":"F32","shape":[2],"data_offsets":[8,0]})")).find("data_offsets are [8, 0]") !=
        std::string::npos);
  CHECK(header(one(R"({"dtype":"F32","shape":[2],"data_offsets":[60,68]})"))
            .starts_with("truncated: tensor 'a'"));
  CHECK(header(one(R"({"dtype":"F32","shape":[4611686018427387904,4],"data_offsets":[0,0]})"))
            .find("overflows") != std::string::npos);
  CHECK(header(one(
            R"({"dtype":"F32","shape":[2],"data_offsets":[18446744073709551608,18446744073709551616]})")) !=
        "read");
  CHECK(
      header(one(R"({"dtype":"F32","shape":[2],"data_offsets":[18446744073709551607,18446744073709551615]})"))
          .find("overflows") != std::string::npos);
  CHECK(header(one(R"({"dtype":"F8_E4M3","shape":[2],"data_offsets":[0,2]})")) ==
        "tensor 'a' has dtype 'F8_E4M3'; save the model as float32, float16 or bfloat16");
  CHECK(header(one(R"({"dtype":"F32","shape":[1,1,1,1,1],"data_offsets":[0,4]})")) ==
        "tensor 'a' has 5 dimensions, at most 4 are supported");
  CHECK(header(one(R"({"dtype":"F32","shape":[-2],"data_offsets":[0,8]})")) ==
        "bad safetensors header: unexpected a negative number at 'a' shape");
  CHECK(header(one(R"({"dtype":"F32","data_offsets":[0,8]})")).starts_with("tensor 'a' lacks"));
  CHECK(header(one(R"({"dtype":"F32","shape":[2],"shape":[2],"data_offsets":[0,8]})")) ==
        "bad safetensors header: unexpected a second value at 'a' shape");
  CHECK(header(R"({"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]},"b":{"dtype":"F32","shape":[2],)"
               R"("data_offsets":[4,12]}})") == "tensors 'a' and 'b' overlap");
  CHECK(header(R"({"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]},"a":{"dtype":"F32","shape":[2],)"
               R"("data_offsets":[8,16]}})")
            .ends_with("tensor 'a' is there twice"));
}

TEST_CASE("safetensors: shards are joined, and a hostile index names no other folder") {
  const TempFolder folder;
  write_file(folder / "config.json", "{}");
  write_file(folder / "m-1.safetensors", safetensors({f32_tensor("a", {1}, {1})}));
  write_file(folder / "m-2.safetensors", safetensors({f32_tensor("b", {1}, {2})}));
  const auto index = [&](const std::string &map) {
    write_file(folder / "model.safetensors.index.json", map);
    try {
      const Source source = open_source(folder.path());
      return std::to_string(source.read("a")[0] + source.read("b")[0]);
    } catch (const Error &error) {
      return std::string(error.what());
    }
  };
  CHECK(index(R"({"weight_map":{"a":"m-1.safetensors","b":"m-2.safetensors"}})") == std::to_string(3.f));
  const std::string path = folder / "model.safetensors.index.json: ";
  CHECK(index(R"({"weight_map":{"a":"m-2.safetensors","b":"m-2.safetensors"}})") ==
        path + "tensor 'a' is not in m-2.safetensors");
  CHECK(index(R"({"weight_map":{"a":"m-1.safetensors","c":"m-2.safetensors"}})") ==
        path + "tensor 'c' is not in m-2.safetensors");
  for (const char *name : {"../x.safetensors", "/etc/x.safetensors", "..", "", "x.bin", "a\\\\b.safetensors",
                           ".x.safetensors", "a\\u0000.safetensors"}) {
    CAPTURE(name);
    CHECK(index(concat(R"({"weight_map":{"a":")", name, R"("}})"))
              .find("expected the name of a .safetensors file") != std::string::npos);
  }
  CHECK(index(R"({"weight_map":{"a":"absent.safetensors"}})").find("No such file") != std::string::npos);
  CHECK(index(R"({"weight_map":[]})") == path + "'weight_map' is missing, empty or not an object");
  CHECK(index("{").starts_with(path + "not JSON"));
  CHECK(index(std::string(100000, '[')).starts_with(path + "nested deeper than 64"));
}

TEST_CASE("sources: what cannot be read says what to do") {
  const TempFolder folder;
  const auto says = [&](const std::string &bytes) {
    write_file(folder / "x", bytes);
    try {
      (void)open_source(folder / "x");
    } catch (const Error &error) {
      return std::string(error.what()).substr((folder / "x: ").size());
    }
    return std::string("read");
  };
  CHECK(says("\x08\7").starts_with("perhaps an ONNX"));
  CHECK(says("RIFF....WAVE").starts_with("not a model that fovea convert reads"));
  CHECK(says("") == "the file is empty");
  for (const std::string &weights : {std::string("PK\3\4"), std::string("\x80\2"), safetensors({})}) {
    write_file(folder / "x", weights);
    CHECK_THROWS_WITH_AS(
        (void)open_source(folder / "x"),
        (folder.path() + ": a folder without config.json; give the folder of a Hugging Face model").c_str(),
        Error);
  }
  CHECK_THROWS_AS((void)open_source(folder / "absent"), Error);
  CHECK_THROWS_WITH_AS(
      (void)open_source(folder.path()),
      (folder.path() + ": a folder without config.json; give the folder of a Hugging Face model").c_str(),
      Error);
  write_file(folder / "config.json", "{}");
  CHECK_THROWS_WITH_AS(
      (void)open_source(folder.path()),
      (folder.path() +
       ": no weights in the folder (looked for model.safetensors, model.safetensors.index.json, "
       "pytorch_model.bin, pytorch_model.bin.index.json)")
          .c_str(),
      Error);
  write_file(folder / "pytorch_model.bin", "x");
  CHECK_THROWS_AS((void)open_source(folder.path()), Error);
}

TEST_CASE("safetensors: damage is refused or harmless") {
  const TempFolder folder;
  const std::string whole =
      safetensors({f32_tensor("a", {2, 3}, {1, 2, 3, 4, 5, 6}), {"b", "F16", {5}, std::string(10, '\1')}});
  for (size_t n = 0; n < whole.size(); ++n) {
    CAPTURE(n);
    CHECK(fault(folder, whole.substr(0, n)) != "read");
  }
  std::mt19937 random(5);
  for (int i = 0; i < 3000; ++i) {
    std::string damaged = whole;
    for (size_t n = 1 + random() % 3; n-- > 0;) damaged[random() % damaged.size()] = char(random());
    if (fault(folder, damaged) != "read") continue;
    const Source source = open_source(folder.path());
    for (const SourceTensor &t : source.tensors()) (void)source.read(t.name);
  }
}
