// PyTorch checkpoints: what is read, and what hostile or broken ones say. Nothing of a pickle is ever run.
#include "tests/support/pytorch_files.h"

#include "converter/sources/source.h"
#include "tests/support/shared_folder.h"
#include "tests/support/temp_folder.h"

#include <doctest/doctest.h>
#include <random>
#include <sys/resource.h>

using namespace fovea;
using namespace fovea::test;

namespace {

TorchStorage f32_storage(std::string key, const std::vector<float> &values) {
  return {std::move(key), "FloatStorage", int64_t(values.size()), raw(values)};
}

std::vector<TorchTensor> sample() {
  const TorchStorage shared = f32_storage("0", {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11});
  return {{"plain", shared, 0, {3, 4}, {4, 1}},
          {"transposed", shared, 0, {4, 3}, {1, 4}},
          {"slice", shared, 5, {2, 2}, {4, 2}},
          {"permuted", shared, 0, {2, 3, 2}, {2, 4, 1}},
          {"ones", shared, 4, {1, 4, 1}, {99, 1, 77}},
          {"f16", {"1", "HalfStorage", 3, raw(std::vector<uint16_t>{0x3C00, 0xC000, 1})}, 0, {3}, {1}},
          {"bf16", {"2", "BFloat16Storage", 2, raw(std::vector<uint16_t>{0x3F80, 0xC040})}, 1, {1}, {1}},
          {"f64", {"3", "DoubleStorage", 1, raw(0.25)}, 0, {}, {}},
          {"i64", {"4", "LongStorage", 2, raw(std::vector<int64_t>{-3, 9})}, 0, {2}, {1}},
          {"i32", {"5", "IntStorage", 2, raw(std::vector<int32_t>{-3, 9})}, 0, {2}, {1}},
          {"i16", {"6", "ShortStorage", 2, raw(std::vector<int16_t>{-3, 9})}, 0, {2}, {1}},
          {"i8", {"7", "CharStorage", 2, raw(std::vector<int8_t>{-3, 9})}, 0, {2}, {1}},
          {"u8", {"8", "ByteStorage", 2, raw(std::vector<uint8_t>{3, 255})}, 0, {2}, {1}},
          {"bool", {"9", "BoolStorage", 2, raw(std::vector<uint8_t>{0, 1})}, 0, {2}, {1}},
          {"empty", {"10", "FloatStorage", 0, ""}, 0, {0, 3}, {3, 1}}};
}

void check_sample(const Source &source) {
  using Floats = std::vector<float>;
  CHECK(source.tensors().size() == 15);
  CHECK(source.read("plain") == Floats{0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11});
  CHECK(source.read("transposed") == Floats{0, 4, 8, 1, 5, 9, 2, 6, 10, 3, 7, 11});
  CHECK(source.read("slice") == Floats{5, 7, 9, 11});
  CHECK(source.read("permuted") == Floats{0, 1, 4, 5, 8, 9, 2, 3, 6, 7, 10, 11});
  CHECK(source.read("ones") == Floats{4, 5, 6, 7});
  CHECK(source.find("ones")->shape == Shape{1, 4, 1});
  CHECK(source.read("f16") == Floats{1, -2, 0x1p-24f});
  CHECK(source.read("bf16") == Floats{-3});
  CHECK(source.read("f64") == Floats{0.25f});
  for (const char *name : {"i64", "i32", "i16", "i8"}) CHECK(source.read(name) == Floats{-3, 9});
  CHECK(source.read("u8") == Floats{3, 255});
  CHECK(source.read("bool") == Floats{0, 1});
  CHECK(source.read("empty").empty());
  for (const char *name : {"transposed", "permuted", "slice"}) { // in pieces
    const SourceTensor &tensor = *source.find(name);
    const Floats whole = source.read(name);
    for (size_t first = 0; first < whole.size(); ++first)
      for (size_t n = 1; first + n <= whole.size(); ++n) {
        Floats piece(n);
        source.read(tensor, first, piece);
        CHECK(std::equal(piece.begin(), piece.end(), whole.begin() + std::ptrdiff_t(first)));
      }
  }
}

/// The error's text for a folder whose pytorch_model.bin is `bytes`, without the file's path; "read" when it
/// is fine.
std::string fault(const TempFolder &folder, const std::string &bytes) {
  write_file(folder / "config.json", "{}");
  write_file(folder / "pytorch_model.bin", bytes);
  try {
    (void)open_source(folder.path());
  } catch (const Error &error) {
    std::string text = error.what();
    const std::string path = folder / "pytorch_model.bin: ";
    return text.starts_with(path) ? text.substr(path.size()) : text;
  }
  return "read";
}

} // namespace

TEST_CASE("pytorch: every dtype, views and shared storages, in both formats") {
  const TempFolder folder;
  for (const std::string &bytes :
       {pytorch_zip(sample()), pytorch_zip(sample(), true), pytorch_legacy(sample())}) {
    CHECK(fault(folder, bytes) == "read");
    check_sample(open_source(folder.path()));
    check_sample(open_source(folder / "pytorch_model.bin")); // the file in place of its folder
  }
  const std::string nested = std::string("}(") + pickled_text("epoch") + pickled_int(3) +
                             pickled_text("rate") + "G" + raw(0.5) + pickled_text("state_dict") +
                             pickled_state_dict(sample()) + "u";
  CHECK(fault(folder, pytorch_zip(nested, sample())) == "read");
  check_sample(open_source(folder.path()));
}

TEST_CASE("pytorch: a large transposed matrix is read across chunks") {
  const TempFolder folder;
  std::vector<float> values(700 * 300);
  for (size_t i = 0; i < values.size(); ++i) values[i] = float(i);
  CHECK(fault(folder, pytorch_zip({{"w", f32_storage("0", values), 0, {300, 700}, {1, 300}}})) == "read");
  const std::vector<float> out = open_source(folder.path()).read("w");
  bool same = true;
  for (size_t i = 0; i < 300; ++i)
    for (size_t j = 0; j < 700; ++j) same = same && out[i * 700 + j] == values[j * 300 + i];
  CHECK(same);
}

TEST_CASE("pytorch: shards are joined") {
  const TempFolder folder;
  write_file(folder / "config.json", "{}");
  write_file(folder / "p-1-of-2.bin", pytorch_zip({{"a", f32_storage("0", {1}), 0, {1}, {1}}}));
  write_file(folder / "p-2-of-2.bin", pytorch_legacy({{"b", f32_storage("0", {2}), 0, {1}, {1}}}));
  write_file(folder / "pytorch_model.bin.index.json",
             R"({"weight_map":{"a":"p-1-of-2.bin","b":"p-2-of-2.bin"}})");
  for (const std::string &path : {folder.path(), folder / "p-2-of-2.bin"}) {
    const Source source = open_source(path);
    CHECK(source.read("a")[0] + source.read("b")[0] == 3);
  }
}

TEST_CASE("pytorch: faults are named") {
  const TempFolder folder;
  const TorchStorage four = f32_storage("0", {1, 2, 3, 4});
  const auto body = [&](const std::string &text) {
    return fault(folder, pytorch_zip(text, {{"", four, 0, {}, {}}}));
  };
  const auto tensor = [&](const TorchTensor &t) { return fault(folder, pytorch_zip({t})); };
  const std::string advice = "; save the model's state_dict alone, or as safetensors";
  CHECK(body(pickled_global("os", "system") + "(" + pickled_text(concat("touch ", folder.path(), "/run")) +
             "tR") == "the pickle at byte 42 refers to 'os.system', which is not run" + advice);
  CHECK_FALSE(std::filesystem::exists(folder / "run"));
  CHECK(body(pickled_text("builtins") + pickled_text("eval") + "\x93")
            .find("'builtins.eval', which is not run") != std::string::npos);
  CHECK(body("I1\n").find("has opcode 73, which checkpoints of tensors do not need") != std::string::npos);
  CHECK(body(std::string("}") + pickled_text("a") + pickled_global("torch", "FloatStorage") + ")Rs")
            .find("is called") != std::string::npos);
  CHECK(body("}").starts_with("no tensors by name in the pickle"));
  CHECK(body("N").starts_with("no tensors by name in the pickle"));
  CHECK(body("0").find("nothing on the stack") != std::string::npos);
  CHECK(body("u").find("no mark on the stack") != std::string::npos);
  CHECK(body("}(Nu").find("a key without a value") != std::string::npos);
  CHECK(body("](Nu").find("is of another kind") != std::string::npos);
  CHECK(body("h\1").find("memo slot 1 is empty") != std::string::npos);
  CHECK(body(std::string("Nr") + raw(0xFFFFFFFFu)).find("memo slot 4294967295") != std::string::npos);
  CHECK(body(std::string("Nr") + raw(20'000'000u)).starts_with("the pickle's values take more than 24 MiB"));
  CHECK(body(std::string("X") + raw(0x7FFFFFFFu)).find("a text of 2147483647 bytes") != std::string::npos);
  CHECK(body("\x80\x09").find("protocol 9") != std::string::npos);
  CHECK(body(std::string(3'000'000, 'N')).starts_with("the pickle's values take more than 24 MiB"));
  CHECK(body(std::string(3'000'000, '(')).starts_with("the pickle's values take more than 24 MiB"));
  CHECK(body(std::string(3'000'000, ']')).starts_with("the pickle's values take more than 24 MiB"));
  CHECK(body("(Q").find("nothing on the stack") != std::string::npos);

  CHECK(tensor({"a", four, 0, {5}, {1}}) == "tensor 'a' [5] needs 5 elements, its storage has 4");
  CHECK(tensor({"a", four, 3, {2}, {1}}) == "tensor 'a' [2] needs 5 elements, its storage has 4");
  CHECK(tensor({"a", four, 0, {2, 2}, {3, 1}}) == "tensor 'a' [2, 2] needs 5 elements, its storage has 4");
  CHECK(tensor({"a", four, 0, {1000}, {0}})
            .starts_with("tensor 'a' [1000] repeats the 4 elements of its storage"));
  CHECK(tensor({"a", four, 0, {1, 1, 1, 2, 2}, {4, 4, 4, 2, 1}}) ==
        "tensor 'a' has 5 dimensions, at most 4 are supported");
  CHECK(tensor({"a", four, 0, {2, 2}, {1}}).find("a tensor with 2 sizes and 1 strides") != std::string::npos);
  CHECK(tensor({"a", four, 0, {-2}, {1}}).find("a tensor's size is -2") != std::string::npos);
  CHECK(tensor({"a", four, 0, {2147483647, 2147483647, 2147483647}, {1, 1, 1}}) != "read");
  CHECK(tensor({std::string(201, 'n'), four, 0, {4}, {1}}).find("is empty, long or has control") !=
        std::string::npos);
  CHECK(tensor({"a", {"0", "QInt8Storage", 4, "1234"}, 0, {4}, {1}}).find("'torch.QInt8Storage'") !=
        std::string::npos);
  CHECK(tensor({"a", {"0", "Size", 4, "1234"}, 0, {4}, {1}}).find("'Size' is no storage type") !=
        std::string::npos);
  CHECK(tensor({"a", {"0", "FloatStorage", 5, four.bytes}, 0, {4}, {1}}) ==
        "storage '0' needs 20 bytes, its entry has 16");
  CHECK(fault(folder, pytorch_zip(pickled_state_dict({{"a", four, 0, {4}, {1}}}), {})) ==
        "zip entry 'm/data/0' is missing");
  CHECK(fault(folder, pytorch_zip({{"a", four, 0, {4}, {1}}, {"a", four, 0, {4}, {1}}}))
            .ends_with("is there twice"));
}

TEST_CASE("pytorch: containers that are not checkpoints") {
  const TempFolder folder;
  CHECK(fault(folder, "abc") == "not a PyTorch checkpoint");
  CHECK(fault(folder, "") == "not a PyTorch checkpoint");
  CHECK(fault(folder, "PK\3\4") == "not a whole zip file: its directory is missing");
  CHECK(fault(folder, zip({{"a", "b"}})) == "a zip file without data.pkl: not a PyTorch checkpoint");
  CHECK(fault(folder, zip({{"m/data.pkl", "b", 8}})).starts_with("zip entry 'm/data.pkl' is compressed"));
  CHECK(fault(folder, zip({{"m/data.pkl", "b"}, {"m/data.pkl", "b"}})) ==
        "zip entry 'm/data.pkl' is there twice");
  CHECK(fault(folder, zip({{"m/data.pkl", "b"}, {"m/constants.pkl", "b", 8}}))
            .starts_with("a TorchScript archive"));
  CHECK(fault(folder, zip({{"m/data.pkl", "b"}, {"m/byteorder", "big"}})) ==
        "byte order 'big', expected 'little'");
  CHECK(fault(folder, pickle("K\1")) == "a pickle, but not one that torch.save wrote");
  std::string version = pytorch_legacy({{"a", f32_storage("0", {1}), 0, {1}, {1}}});
  version[version.find("M\xe9\3") + 1] = '\0';
  CHECK(fault(folder, version) == "checkpoint version 768, expected 1001");
  write_file(folder / "pytorch_model.bin", "");
  std::filesystem::remove(folder / "config.json");
  write_file(folder / "x.bin", pytorch_zip(sample()));
  CHECK_THROWS_WITH_AS(
      (void)open_source(folder / "x.bin"),
      (folder.path() + ": a folder without config.json; give the folder of a Hugging Face model").c_str(),
      Error);
}

TEST_CASE("pytorch: a real checkpoint") {
  const std::string path = shared_path("models/rxnmapper-albert");
  if (path.empty()) return;
  const Source source = open_source(path);
  CHECK(source.tensors().size() == 32);
  CHECK(source.find("albert.embeddings.word_embeddings.weight")->shape == Shape{591, 128});
  for (const SourceTensor &tensor : source.tensors())
    for (const float value : source.read(tensor.name)) REQUIRE(std::abs(value) < 100);
}

TEST_CASE("pytorch: damage is refused or harmless, in bounded memory") {
  const TempFolder folder;
  const unsigned seed = 11;
  MESSAGE("seed " << seed);
  std::mt19937 random(seed);
  const auto below = [&](size_t n) { return size_t(random() % n); };
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  [[maybe_unused]] const long before = usage.ru_maxrss;
  for (const std::string &whole :
       {pytorch_zip(sample()), pytorch_zip(sample(), true), pytorch_legacy(sample())}) {
    for (size_t n = 0; n < whole.size(); n += 7) {
      CAPTURE(n);
      CHECK(fault(folder, whole.substr(0, n)) != "read");
    }
    int n_read = 0;
    for (int i = 0; i < 4000; ++i) {
      std::string damaged = whole;
      for (size_t n = 1 + below(3); n-- > 0;) {
        const size_t at = below(damaged.size());
        static constexpr uint64_t edges[] = {0, 0x7FFFFFFF, ~0ull, 1ull << 63, ~0ull >> 1, 1ull << 32, 65536};
        const uint64_t edge = edges[below(std::size(edges))];
        switch (below(4)) {
        case 0: damaged[at] = char(random()); break;
        case 1: damaged[at] = char(damaged[at] ^ (1 << below(8))); break;
        case 2:
          damaged.replace(at, std::min<size_t>(4, damaged.size() - at), reinterpret_cast<const char *>(&edge),
                          4);
          break;
        case 3: damaged.insert(at, damaged.substr(below(damaged.size()), 1 + below(64))); break;
        }
      }
      if (fault(folder, damaged) != "read") continue;
      ++n_read;
      const Source source = open_source(folder.path());
      for (const SourceTensor &t : source.tensors()) (void)source.read(t.name);
    }
    CHECK(n_read > 0); // damage in values and in what is not used
    CHECK(n_read < 3000);
  }
#if !defined(FOVEA_ADDRESS_SANITIZER) // which keeps freed memory
  getrusage(RUSAGE_SELF, &usage);
  CHECK(usage.ru_maxrss - before < 64 * 1024);
#endif
}
