// The tool's reader and writer of safetensors: every type, and hostile files.
#include "samples/fovea/safetensors.h"
#include "support/temp_folder.h"

#include <doctest/doctest.h>
#include <nlohmann/json.hpp>

#include <cstring>
#include <random>

using namespace fovea::test;
using tool::OwnedTensor;

namespace {

// Not support/source_files.h: it uses the library's own Error, which has the public one's name.
template <class T> std::string raw(const std::vector<T> &list) {
  return {reinterpret_cast<const char *>(list.data()), list.size() * sizeof(T)};
}
std::string raw(uint64_t value) { return raw(std::vector<uint64_t>{value}); }

struct RawTensor {
  std::string name, dtype;
  std::vector<uint64_t> shape;
  std::string bytes;
};
RawTensor f32_tensor(std::string name, std::vector<uint64_t> shape, const std::vector<float> &list) {
  return {std::move(name), "F32", std::move(shape), raw(list)};
}

std::string safetensors(const std::string &header, const std::string &data) {
  return raw(uint64_t(header.size())) + header + data;
}
std::string safetensors(const std::vector<RawTensor> &tensors) {
  nlohmann::ordered_json header = {{"__metadata__", {{"format", "pt"}}}};
  std::string data;
  for (const RawTensor &t : tensors) {
    const size_t begin = data.size();
    data += t.bytes;
    header[t.name] = {{"dtype", t.dtype}, {"shape", t.shape}, {"data_offsets", {begin, data.size()}}};
  }
  return safetensors(header.dump(), data);
}

template <class T> std::vector<T> values(const OwnedTensor &tensor) {
  std::vector<T> out(tensor.bytes.size() / sizeof(T));
  std::memcpy(out.data(), tensor.bytes.data(), tensor.bytes.size());
  return out;
}

} // namespace

TEST_CASE("tool safetensors: element types are widened as documented") {
  const TempFolder folder;
  const std::string path = folder / "in";
  write_file(path, safetensors({{"f64", "F64", {2}, raw(std::vector<double>{0.5, -3})},
                                {"f32", "F32", {1, 2}, raw(std::vector<float>{1.25f, 2})},
                                {"f16", "F16", {3}, raw(std::vector<uint16_t>{0x3c00, 0xc000, 0x0001})},
                                {"bf16", "BF16", {2}, raw(std::vector<uint16_t>{0x3f80, 0xc000})},
                                {"i64", "I64", {1}, raw(std::vector<int64_t>{int64_t(1) << 40})},
                                {"u32", "U32", {1}, raw(std::vector<uint32_t>{4000000000u})},
                                {"i16", "I16", {1}, raw(std::vector<int16_t>{-7})},
                                {"u16", "U16", {1}, raw(std::vector<uint16_t>{60000})},
                                {"i8", "I8", {2}, raw(std::vector<int8_t>{-1, 5})},
                                {"u8", "U8", {1}, raw(std::vector<uint8_t>{200})},
                                {"bool", "BOOL", {2}, raw(std::vector<uint8_t>{1, 0})},
                                {"scalar", "I32", {}, raw(std::vector<int32_t>{42})},
                                {"empty", "F32", {0, 3}, ""}}));
  const std::vector<OwnedTensor> t = tool::read_safetensors(path);
  REQUIRE(t.size() == 13);
  CHECK(values<float>(t[0]) == std::vector<float>{0.5f, -3});
  CHECK(values<float>(t[1]) == std::vector<float>{1.25f, 2});
  CHECK(t[1].shape == std::vector<uint64_t>{1, 2});
  CHECK(values<float>(t[2]) == std::vector<float>{1, -2, 0x1p-24f});
  CHECK(values<float>(t[3]) == std::vector<float>{1, -2});
  CHECK(values<int64_t>(t[4]) == std::vector<int64_t>{int64_t(1) << 40});
  CHECK(values<int64_t>(t[5]) == std::vector<int64_t>{4000000000});
  CHECK(values<int32_t>(t[6]) == std::vector<int32_t>{-7});
  CHECK(values<int32_t>(t[7]) == std::vector<int32_t>{60000});
  CHECK(values<int32_t>(t[8]) == std::vector<int32_t>{-1, 5});
  CHECK(values<int32_t>(t[9]) == std::vector<int32_t>{200});
  CHECK(values<int32_t>(t[10]) == std::vector<int32_t>{1, 0});
  CHECK(values<int32_t>(t[11]) == std::vector<int32_t>{42});
  CHECK(t[12].bytes.empty());

  // Written and read again, nothing changes.
  std::vector<fovea_tensor> views;
  for (const OwnedTensor &tensor : t) views.push_back(tensor.view());
  tool::write_safetensors(folder / "out", views);
  const std::vector<OwnedTensor> again = tool::read_safetensors(folder / "out");
  REQUIRE(again.size() == t.size());
  for (size_t i = 0; i < t.size(); ++i) {
    CHECK(again[i].name == t[i].name);
    CHECK(again[i].element == t[i].element);
    CHECK(again[i].shape == t[i].shape);
    CHECK(again[i].bytes == t[i].bytes);
  }
}

TEST_CASE("tool safetensors: hostile files are Errors that name the file") {
  const TempFolder folder;
  const std::string path = folder / "bad";
  const auto check = [&](const std::string &bytes) {
    write_file(path, bytes);
    try {
      (void)tool::read_safetensors(path);
      FAIL("accepted: " << bytes.substr(0, 80));
    } catch (const fovea::Error &e) {
      CHECK(e.status() == FOVEA_INVALID_FILE);
      CHECK(std::string(e.what()).find(path) == 0);
    }
  };
  const std::string four(4, '\0');
  const auto tensor = [](const std::string &rest) { return "{\"t\":{" + rest + "}}"; };
  check("");
  check("1234567");
  check(raw(uint64_t(1) << 63));
  check(raw(uint64_t(100)) + "{}");
  check(safetensors("", ""));
  check(safetensors("[]", ""));
  check(safetensors("{\"t\":1}", ""));
  check(safetensors("{\"t\":", ""));
  check(safetensors(std::string(1000, '['), ""));
  check(safetensors(tensor("\"dtype\":\"F32\",\"shape\":[1]"), four));
  check(safetensors(tensor("\"dtype\":\"F31\",\"shape\":[1],\"data_offsets\":[0,4]"), four));
  check(safetensors(tensor("\"dtype\":7,\"shape\":[1],\"data_offsets\":[0,4]"), four));
  check(safetensors(tensor("\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[0,4]"), four));
  check(safetensors(tensor("\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[4,0]"), four));
  check(safetensors(tensor("\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[4,8]"), four));
  check(safetensors(tensor("\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[-4,0]"), four));
  check(safetensors(tensor("\"dtype\":\"F32\",\"shape\":[1.5],\"data_offsets\":[0,4]"), four));
  check(safetensors(tensor("\"dtype\":\"F32\",\"shape\":[1,1,1,1,1],\"data_offsets\":[0,4]"), four));
  check(safetensors(tensor("\"dtype\":\"F32\",\"shape\":[4294967296,4294967296],\"data_offsets\":[0,0]"),
                    four));
  const std::string one = "\"t\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[0,4]}";
  check(safetensors("{" + one + "," + one + "}", four));

  // Damaged at random: an Error or tensors, never a crash.
  const std::string good =
      safetensors({f32_tensor("a", {2, 3}, {1, 2, 3, 4, 5, 6}), f32_tensor("b", {1}, {7})});
  std::mt19937 random(1);
  for (int i = 0; i < 3000; ++i) {
    std::string damaged = good;
    for (int n = 0; n < 3; ++n) damaged[random() % damaged.size()] = char(random());
    if (i % 3 == 0) damaged.resize(random() % damaged.size());
    write_file(path, damaged);
    try {
      (void)tool::read_safetensors(path);
    } catch (const fovea::Error &) {}
  }
}
