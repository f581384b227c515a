// The flat file: what is written is read back; what is malformed is refused.
#include "format/flat_file.h"
#include "format/gguf_writer.h"
#include "format/model_file.h"
#include "tests/support/temp_folder.h"

#include <doctest/doctest.h>

using namespace fovea;
using namespace fovea::test;

namespace {

template <class T> std::span<const std::byte> bytes_of(const std::vector<T> &values) {
  return std::as_bytes(std::span(values));
}

const std::vector<std::string> kWords = {"a", "", "c\xC4\xA0", std::string("nul\0nul", 7)};

void write_sample(const std::string &path) {
  GgufWriter out(path);
  out.add("general.name", std::string("sample"));
  out.add("t.u32", 42u);
  out.add("t.i32", int32_t(-7));
  out.add("t.u64", uint64_t(1) << 40);
  out.add("t.f32", 0.5f);
  out.add("t.bool", true);
  out.add("t.words", kWords);
  out.add("t.ids", std::vector<int32_t>{3, -1, 2});
  out.add("t.floats", std::vector<float>{1.5f, -2.5f});
  out.add_graph("encode", "graph encode\n  in x f32 [4]\n");
  out.add_graph("decode", "graph decode\n");
  out.add_tensor("w8", {{3, 64}, Encoding::Q8});
  out.add_tensor("w8.bias", {{3}, Encoding::F32});
  out.add_tensor("w4", {{2, 2, 64}, Encoding::Q4});
  out.add_tensor("half", {{2, 3, 5, 7}, Encoding::F16});
  out.add_tensor("table", {{5}, Encoding::I32});
  std::vector<int8_t> codes(192);
  for (size_t i = 0; i < codes.size(); ++i) codes[i] = int8_t(i - 96);
  out.write(bytes_of(codes).first(100));
  out.write(bytes_of(codes).subspan(100));
  out.write(bytes_of(std::vector<uint16_t>{0x3C00, 0x4000, 0xBC00, 0x3800, 0, 0x3C00})); // 1 2 -1 0.5 0 1
  out.write(bytes_of(std::vector<float>{1, 2, 3}));
  out.write(bytes_of(std::vector<uint8_t>(128, 0xF1)));
  out.write(bytes_of(std::vector<uint16_t>(8, 0x3C00)));
  out.write(bytes_of(std::vector<uint16_t>(210, 0xC000)));
  out.write(bytes_of(std::vector<int32_t>{1, 2, 3, 4, -5}));
  const uint64_t total = out.total_bytes();
  out.commit();
  CHECK(std::filesystem::file_size(path) == total);
}

} // namespace

TEST_CASE("gguf: metadata survives the round trip") {
  const TempFolder folder;
  write_sample(folder / "m");
  const ModelFile m(folder / "m");
  CHECK(m.get_string("general.name") == "sample");
  CHECK(m.get_u32("t.u32") == 42);
  CHECK(m.get_u64("t.u32") == 42); // any integer type that fits
  CHECK(m.get_i32("t.i32") == -7);
  CHECK(m.get_u64("t.u64") == uint64_t(1) << 40);
  CHECK(m.get_f32("t.f32") == 0.5f);
  CHECK(m.get_bool("t.bool"));
  CHECK(m.get_strings("t.words") == std::vector<std::string_view>(kWords.begin(), kWords.end()));
  CHECK(m.get_i32s("t.ids") == std::vector<int32_t>{3, -1, 2});
  CHECK(m.get_f32s("t.floats") == std::vector<float>{1.5f, -2.5f});
  CHECK_FALSE(m.find_u32("absent"));
  CHECK_THROWS_WITH_AS((void)m.get_u32("absent"), (folder / "m: metadata 'absent' is missing").c_str(),
                       Error);
  CHECK_THROWS_WITH_AS((void)m.find_u32("t.i32"),
                       (folder / "m: metadata 't.i32' is i32 -7, expected integer in range").c_str(), Error);
  CHECK_THROWS_AS((void)m.find_f32("t.u32"), Error);
  CHECK_THROWS_AS((void)m.find_strings("t.ids"), Error);
  CHECK(to_text(*m.find_meta("t.words")) == "[4 string]");
  CHECK(to_text(*m.find_meta("t.ids")) == "[3, -1, 2]");
  CHECK(m.graph_names() == std::vector<std::string_view>{"encode", "decode"});
  CHECK(m.graph_text("decode") == "graph decode\n");
  CHECK_THROWS_WITH_AS((void)m.graph_text("x"), (folder / "m: no graph 'x' (it has: encode, decode)").c_str(),
                       Error);
}

TEST_CASE("gguf: planes are one tensor, aligned, contiguous and decoded as documented") {
  const TempFolder folder;
  write_sample(folder / "m");
  const ModelFile m(folder / "m");
  std::vector<std::string_view> names;
  uint64_t end = 0;
  for (const TensorInfo &t : m.tensors()) {
    names.push_back(t.name);
    CHECK(t.offset % 256 == 0);
    CHECK(t.scale_offset % 256 == 0);
    CHECK((end == 0 || t.offset - end < 256));
    end = t.scale_bytes ? t.scale_offset + t.scale_bytes : t.offset + t.bytes;
  }
  CHECK(names == std::vector<std::string_view>{"w8", "w8.bias", "w4", "half", "table"});
  const TensorInfo &w8 = m.require("w8"), &w4 = m.require("w4");
  CHECK(w8.type == TensorType{{3, 64}, Encoding::Q8});
  CHECK(w4.type == TensorType{{2, 2, 64}, Encoding::Q4});
  CHECK(m.require("half").type == TensorType{{2, 3, 5, 7}, Encoding::F16});
  CHECK(m.find("w8:q") == nullptr);
  CHECK_THROWS_AS((void)m.require("nothing"), Error);
  std::vector<float> row(64);
  m.decode_rows(w8, 0, 1, row);
  CHECK(row[0] == -96);
  CHECK(row[63] == 2 * (-96 + 63));
  m.decode_rows(w8, 2, 1, row);
  CHECK(row[0] == 0);
  CHECK(row[32] == 64);
  m.decode_rows(w4, 3, 1, row);
  CHECK(row[0] == 1 - 8); // the low nibble comes first
  CHECK(row[1] == 15 - 8);
  CHECK_THROWS_AS(m.decode_rows(w8, 3, 1, row), Error);
  std::vector<float> ids(5);
  m.decode_rows(m.require("table"), 0, 1, ids);
  CHECK(ids == std::vector<float>{1, 2, 3, 4, -5});
}

TEST_CASE("gguf: the writer refuses what the format cannot hold, and leaves no file") {
  const TempFolder folder;
  {
    GgufWriter out(folder / "m");
    out.add("a", 1u);
    CHECK_THROWS_AS(out.add("a", 2u), Error);
    CHECK_THROWS_AS(out.add("b c", 2u), Error);
    CHECK_THROWS_AS(out.add("", 2u), Error);
    out.add_tensor("w", {{2, 32}, Encoding::Q8});
    CHECK_THROWS_AS(out.add_tensor("w", {{2, 32}, Encoding::Q8}), Error);
    CHECK_THROWS_AS(out.add_tensor("w:q", {{2, 32}, Encoding::F32}), Error);
    CHECK_THROWS_AS(out.add_tensor("k", {{2, 33}, Encoding::Q4}), Error);
    CHECK_THROWS_AS(out.add_tensor("z", {{2, 0}, Encoding::F32}), Error);
    CHECK_THROWS_AS(out.add_tensor("s", {{}, Encoding::F32}), Error);
    CHECK_THROWS_AS(out.add_tensor(std::string(62, 'n'), {{1}, Encoding::F32}), Error);
    CHECK_THROWS_AS(out.write(bytes_of(std::vector<uint8_t>(65))), Error); // past the plane's end
    out.write(bytes_of(std::vector<uint8_t>(64)));
    CHECK_THROWS_AS(out.add("late", 1u), Error);
    CHECK_THROWS_AS(out.commit(), Error); // scales are missing
  }
  CHECK(folder.n_files() == 0);
  CHECK_THROWS_AS(GgufWriter(folder / "no/such"), Error);
}

TEST_CASE("gguf: a change anywhere is refused or found by verify") {
  const TempFolder folder;
  write_sample(folder / "m");
  ModelFile(folder / "m").verify();
  const std::string whole = read_file(folder / "m");
  for (size_t at = 0; at < whole.size(); at += at < 1500 ? 1 : 37) {
    std::string damaged = whole;
    damaged[at] = char(damaged[at] ^ (1 << (at % 8)));
    write_file(folder / "d", damaged);
    CAPTURE(at);
    CHECK_THROWS_AS(ModelFile(folder / "d").verify(), Error);
  }
}

TEST_CASE("gguf: every truncation is refused") {
  const TempFolder folder;
  write_sample(folder / "m");
  const std::string whole = read_file(folder / "m");
  for (size_t n = 0; n < whole.size(); ++n) {
    std::filesystem::resize_file(folder / "m", 0);
    write_file(folder / "m", whole.substr(0, n));
    CAPTURE(n);
    CHECK_THROWS_AS(ModelFile(folder / "m"), Error);
  }
  write_file(folder / "m", whole + '\0');
  CHECK_THROWS_AS(ModelFile(folder / "m"), Error);
}

TEST_CASE("gguf: faults are named") {
  const TempFolder folder;
  write_sample(folder / "m");
  const std::string whole = read_file(folder / "m");
  const auto fault = [&](std::string_view needle, size_t offset, std::string_view bytes) {
    std::string damaged = whole;
    const size_t at = damaged.find(needle);
    REQUIRE(at != std::string::npos);
    damaged.replace(at + offset, bytes.size(), bytes);
    write_file(folder / "m", damaged);
    try {
      (void)ModelFile(folder / "m");
    } catch (const Error &error) {
      return std::string(error.what()).substr((folder / "m: ").size());
    }
    return std::string("accepted");
  };
  using namespace std::string_literals;
  CHECK(fault("GGUF", 0, "GGML") ==
        "not a model file: it does not start with 'GGUF' (fovea convert makes one)");
  CHECK(fault("GGUF", 4, "\2"s) == "GGUF version 2, expected 3");
  CHECK(fault("GGUF", 4, "\0\0\0\3"s) == "GGUF version 50331648, expected 3 (a big-endian file)");
  CHECK(fault("GGUF", 15, "\1") ==
        "72057594037927943 tensors, more than the limit of 65536");
  CHECK(fault("general.alignment", 17 + 4, "\x20\0"s) ==
        "general.alignment is 32, expected 256: a GGUF file, but not one that fovea convert wrote");
  CHECK(fault("fovea.format_version", 20 + 4, "\2") == "format version 2, this build reads 1");
  CHECK(fault("t.i32", 2, "u") == "duplicate metadata key 't.u32'");
  CHECK(fault("t.bool", 6 + 4, "\2") == "metadata 't.bool' is a bool of value 2");
  CHECK(fault("t.ids", 5 + 4, "\x09") == "metadata 't.ids' is an array of arrays");
  CHECK(fault("t.ids", 5 + 4, "\x0D") == "metadata 't.ids' has unknown type 13");
  CHECK(fault("t.words", 7 + 4 + 4 + 7, "\1")
            .starts_with("72057594037927940 strings of 't.words', more than"));
  CHECK(fault("t.ids", 5 + 4 + 4 + 7, "\x40")
            .starts_with("truncated: 4611686018427387907 values of 't.ids' do not fit in the "));
  CHECK(fault("w8:q", 3, "b") == "'w8:b' is not a plane this build knows (W:q followed by W:s)");
  CHECK(fault("w8:s", 3, "t") == "'w8:q' is not followed by its scales 'w8:s'");
  CHECK(fault("w8:s", 4 + 4, "\3") == "planes 'w8:q' i32 [3, 16] and 'w8:s' f16 [3, 3] fit no encoding");
  CHECK(fault("table", 5, "\5") == "tensor 'table' has rank 5, expected 1 to 4");
  CHECK(fault("table", 5 + 4, "\0"s) == "tensor 'table' has a dimension of 0");
  CHECK(fault("table", 5 + 4 + 5, "\1").starts_with("truncated: tensor 'table' needs bytes"));
  CHECK(fault("table", 5 + 4 + 7, "\x40").find("overflows") != std::string::npos);
  CHECK(fault("table", 5 + 4 + 8, "\2") == "tensor 'table' has GGUF type 2, expected f32 (0), f16 (1) or i32 "
                                           "(26): convert the original weights with "
                                           "fovea convert");
  CHECK(fault("table", 5 + 4 + 8 + 4, "\1").starts_with("tensor 'table' is at data offset"));
  CHECK(fault("table", 0, "a b").find("not printable ASCII") != std::string::npos);
}

TEST_CASE("gguf: a graph must be text") {
  const TempFolder folder;
  for (const bool named : {true, false}) {
    GgufWriter out(folder / "m");
    if (named)
      out.add("fovea.graph.x", 1u);
    else
      out.add("fovea.graph.", std::string("graph"));
    out.commit();
    CHECK_THROWS_AS(ModelFile(folder / "m"), Error);
  }
}
