// Flat files made by hand to be wrong, a row each; truncation at every byte; every bit of header and
// directory flipped. All from memory: nothing here depends on a file system.
#include "exec/model.h"
#include "format/flat_file.h"
#include "format/gguf_writer.h"
#include "ops/registry.h"
#include "tests/support/gguf_files.h"
#include "tests/support/temp_folder.h"

#include <doctest/doctest.h>
#include <functional>

using namespace fovea;
using namespace fovea::test;

namespace {

constexpr uint32_t kString = 8, kArray = 9;
constexpr const char *kGraph = "graph g\n  in x f32 [T, 32]\n  out y = linear(x, w, b)\n";

/// What `fault` builds on: three tensors, one of them in two planes.
GgufFile sample() {
  GgufFile file;
  file.alignment = kFileAlignment;
  file.add("general.alignment", 256u);
  file.add("fovea.format_version", 1u);
  file.add("fovea.graph.g", kGraph);
  file.add("words", std::vector<std::string>{"word", "", "bc"});
  file.add("flag", true);
  file.add_f32("a", {2, 3}, {1, 2, 3, 4, 5, 6});
  file.tensors.push_back({"w:q", {2, 8}, 26, std::string(64, '\x11')});
  file.tensors.push_back({"w:s", {2, 1}, 1, std::string(4, '\x22')});
  file.add_f32("b", {2}, {1, 2});
  return file;
}

Model opened(const std::string &bytes) {
  return Model(ModelFile(MappedFile("m.gguf", std::as_bytes(std::span(bytes.data(), bytes.size())))));
}

struct Fault {
  const char *name;
  ErrorCode code;
  const char *says;
  std::function<std::string()> file;
};

/// A fault of the sample as a description.
std::function<std::string()> edited(void (*edit)(GgufFile &file)) {
  return [edit] {
    GgufFile file = sample();
    edit(file);
    return file.bytes();
  };
}
/// A fault of its bytes.
std::function<std::string()> patched(void (*edit)(std::string &bytes)) {
  return [edit] {
    std::string bytes = sample().bytes();
    edit(bytes);
    return bytes;
  };
}
template <class T> void put(std::string &bytes, size_t at, T value) {
  bytes.replace(at, sizeof value, raw(value));
}
/// The first byte behind a name in the file.
size_t behind(const std::string &bytes, const std::string &name) {
  const size_t at = bytes.find(gguf_text(name));
  REQUIRE(at != std::string::npos);
  return at + 8 + name.size();
}
/// A tensor's rank, dimensions, type and offset follow its name.
constexpr size_t kRank = 0, kDims = 4;

constexpr size_t kVersion = 4, kTensors = 8, kMetadata = 16, kFirstKey = 24;
constexpr ErrorCode kInvalid = ErrorCode::InvalidFile, kUnsupported = ErrorCode::Unsupported,
                    kGraphError = ErrorCode::InvalidGraph;

const Fault kFaults[] = {
    // What it is.
    {"nothing", kInvalid, "does not start with 'GGUF'", [] { return std::string(); }},
    {"one byte", kInvalid, "does not start with 'GGUF'", [] { return std::string("G"); }},
    {"the magic alone", kInvalid, "truncated: version", [] { return std::string("GGUF"); }},
    {"the magic backwards", kInvalid, "does not start with 'GGUF'",
     patched([](auto &b) { b.replace(0, 4, "FUGG"); })},
    {"a zip that goes on as a model", kInvalid, "does not start with 'GGUF'",
     patched([](auto &b) { b.replace(0, 4, "PK\3\4"); })},
    {"a model behind a zip", kInvalid, "does not start with 'GGUF'",
     patched([](auto &b) { b.insert(0, "PK\3\4"); })},
    {"a model that goes on as a zip", kInvalid, "the file has",
     patched([](auto &b) { b += "PK\5\6" + std::string(18, '\0'); })},
    {"whisper.cpp's magic", kInvalid, "does not start with 'GGUF'",
     patched([](auto &b) { b.replace(0, 4, "lmgg"); })},
    {"version 0", kUnsupported, "GGUF version 0, expected 3", edited([](auto &f) { f.version = 0; })},
    {"version 2", kUnsupported, "GGUF version 2, expected 3", edited([](auto &f) { f.version = 2; })},
    {"version 4", kUnsupported, "GGUF version 4, expected 3", edited([](auto &f) { f.version = 4; })},
    {"a big-endian file", kUnsupported, "big-endian", edited([](auto &f) { f.version = 3u << 24; })},
    // Counts.
    {"2^64 - 1 metadata entries", kInvalid, "more than the limit of 65536",
     patched([](auto &b) { put(b, kMetadata, ~0ull); })},
    {"2^63 metadata entries", kInvalid, "more than the limit of 65536",
     patched([](auto &b) { put(b, kMetadata, 1ull << 63); })},
    {"65,536 metadata entries in a small file", kInvalid, "do not fit",
     patched([](auto &b) { put(b, kMetadata, uint64_t(65536)); })},
    {"one metadata entry too many", kInvalid, "bytes long, at most 63 allowed", patched([](auto &b) {
       put(b, kMetadata, uint64_t(6));
       put(b, kTensors, uint64_t(3));
     })},
    {"no metadata", kInvalid, "general.alignment is 32",
     patched([](auto &b) { put(b, kMetadata, uint64_t(0)); })},
    {"2^64 - 1 tensors in 24 bytes", kInvalid, "more than the limit of 65536", patched([](auto &b) {
       b.resize(24);
       put(b, kTensors, ~0ull);
       put(b, kMetadata, uint64_t(0));
     })},
    {"65,536 tensors in a small file", kInvalid, "do not fit",
     patched([](auto &b) { put(b, kTensors, uint64_t(65536)); })},
    {"one tensor too many", kInvalid, "is empty or not printable",
     patched([](auto &b) { put(b, kTensors, uint64_t(5)); })},
    {"one tensor too few", kInvalid, "the file has", patched([](auto &b) { put(b, kTensors, uint64_t(3)); })},
    // Keys.
    {"a key of 2^64 - 1 bytes", kInvalid, "at most 255 allowed",
     patched([](auto &b) { put(b, kFirstKey, ~0ull); })},
    {"a key of 2^63 bytes", kInvalid, "at most 255 allowed",
     patched([](auto &b) { put(b, kFirstKey, 1ull << 63); })},
    {"an empty key", kInvalid, "is empty or not printable", edited([](auto &f) { f.add("", 1u); })},
    {"a key with a space", kInvalid, "is empty or not printable", edited([](auto &f) { f.add("a b", 1u); })},
    {"a key with a newline", kInvalid, "is empty or not printable",
     edited([](auto &f) { f.add("a\nb", 1u); })},
    {"a key with a zero", kInvalid, "is empty or not printable",
     edited([](auto &f) { f.add(std::string("a\0b", 3), 1u); })},
    {"a key of 256 bytes", kInvalid, "is 256 bytes long, at most 255 allowed",
     edited([](auto &f) { f.add(std::string(256, 'k'), 1u); })},
    {"a key that is not ASCII", kInvalid, "is empty or not printable",
     edited([](auto &f) { f.add("caf\xc3\xa9", 1u); })},
    {"a key twice", kInvalid, "duplicate metadata key 'flag'", edited([](auto &f) { f.add("flag", false); })},
    {"the version twice", kInvalid, "duplicate metadata key 'fovea.format_version'",
     edited([](auto &f) { f.add("fovea.format_version", 1u); })},
    // Values.
    {"a value of type 13", kInvalid, "has unknown type 13",
     edited([](auto &f) { f.entry("k", 13, raw(1u)); })},
    {"a value of type 2^32 - 1", kInvalid, "has unknown type 4294967295",
     edited([](auto &f) { f.entry("k", ~0u, raw(1u)); })},
    {"a text of 2^64 - 1 bytes", kInvalid, "truncated: k",
     edited([](auto &f) { f.entry("k", kString, raw(~0ull)); })},
    {"a text longer than the file", kInvalid, "truncated: k",
     edited([](auto &f) { f.entry("k", kString, raw(uint64_t(1) << 20)); })},
    {"an array of arrays", kInvalid, "is an array of arrays",
     edited([](auto &f) { f.entry("k", kArray, raw(kArray) + raw(uint64_t(1))); })},
    {"an array of type 99", kInvalid, "has unknown type 99",
     edited([](auto &f) { f.entry("k", kArray, raw(99u) + raw(uint64_t(1))); })},
    {"an array whose size overflows", kInvalid, "do not fit",
     edited([](auto &f) { f.entry("k", kArray, raw(12u) + raw(uint64_t(1) << 61)); })},
    {"an array of 2^64 - 1 bytes", kInvalid, "do not fit",
     edited([](auto &f) { f.entry("k", kArray, raw(0u) + raw(~0ull)); })},
    {"2^40 texts", kInvalid, "more than the limit of 2097152",
     edited([](auto &f) { f.entry("k", kArray, raw(kString) + raw(uint64_t(1) << 40)); })},
    {"two million texts in a small file", kInvalid, "do not fit",
     edited([](auto &f) { f.entry("k", kArray, raw(kString) + raw(uint64_t(1) << 21)); })},
    {"a text in an array past the end", kInvalid, "truncated: k",
     edited([](auto &f) { f.entry("k", kArray, raw(kString) + raw(uint64_t(1)) + raw(uint64_t(1) << 30)); })},
    {"texts whose lengths wrap around", kInvalid, "truncated: k", edited([](auto &f) {
       f.entry("k", kArray, raw(kString) + raw(uint64_t(2)) + raw(~0ull - 7) + raw(uint64_t(1)));
     })},
    {"a bool of 2", kInvalid, "is a bool of value 2",
     edited([](auto &f) { f.entry("k", 7, raw(uint8_t(2))); })},
    {"an array with a bool of 255", kInvalid, "is a bool of value 255",
     edited([](auto &f) { f.entry("k", kArray, raw(7u) + raw(uint64_t(2)) + "\1\xff"); })},
    // What every flat file says.
    {"no alignment", kInvalid, "general.alignment is 32, expected 256",
     edited([](auto &f) { f.metadata.erase(f.metadata.begin()); })},
    {"alignment 32", kInvalid, "general.alignment is 32, expected 256",
     edited([](auto &f) { f.metadata[0] = gguf_text("general.alignment") + raw(4u) + raw(32u); })},
    {"alignment 0", kInvalid, "general.alignment is 0, expected 256",
     edited([](auto &f) { f.metadata[0] = gguf_text("general.alignment") + raw(4u) + raw(0u); })},
    {"alignment as text", kInvalid, "general.alignment is 0, expected 256", edited([](auto &f) {
       f.metadata[0] = gguf_text("general.alignment") + raw(kString) + gguf_text("256");
     })},
    {"no format version", kInvalid, "'fovea.format_version' is missing",
     edited([](auto &f) { f.metadata.erase(f.metadata.begin() + 1); })},
    {"format version 2", kUnsupported, "format version 2, this build reads 1",
     edited([](auto &f) { f.metadata[1] = gguf_text("fovea.format_version") + raw(4u) + raw(2u); })},
    {"the format version as text", kInvalid, "'fovea.format_version' is string", edited([](auto &f) {
       f.metadata[1] = gguf_text("fovea.format_version") + raw(kString) + gguf_text("1");
     })},
    {"a negative format version", kInvalid, "'fovea.format_version' is i32 -1",
     edited([](auto &f) { f.metadata[1] = gguf_text("fovea.format_version") + raw(5u) + raw(-1); })},
    // The tensor table.
    {"a tensor name of 2^64 - 1 bytes", kInvalid, "at most 63 allowed",
     patched([](auto &b) { put(b, b.find(gguf_text("w:q")), ~0ull); })},
    {"an empty tensor name", kInvalid, "is empty or not printable",
     edited([](auto &f) { f.tensors[0].name = ""; })},
    {"a tensor name of 64 bytes", kInvalid, "is 64 bytes long, at most 63 allowed",
     edited([](auto &f) { f.tensors[0].name = std::string(64, 'n'); })},
    {"a tensor name with an escape", kInvalid, "is empty or not printable",
     edited([](auto &f) { f.tensors[0].name = "\x1b[2J"; })},
    {"a tensor twice", kInvalid, "duplicate tensor 'a'",
     edited([](auto &f) { f.tensors.push_back(f.tensors[0]); })},
    {"a tensor beside planes of its name", kInvalid, "duplicate tensor 'w'",
     edited([](auto &f) { f.tensors[0].name = "w"; })},
    {"rank 0", kInvalid, "has rank 0, expected 1 to 4",
     patched([](auto &b) { put(b, behind(b, "a") + kRank, 0u); })},
    {"rank 5 into four places", kInvalid, "has rank 5, expected 1 to 4", edited([](auto &f) {
       f.tensors[0].shape = {1, 1, 1, 2, 3};
     })},
    {"rank 2^32 - 1", kInvalid, "has rank 4294967295, expected 1 to 4",
     patched([](auto &b) { put(b, behind(b, "a") + kRank, ~0u); })},
    {"a dimension of 0", kInvalid, "has a dimension of 0",
     patched([](auto &b) { put(b, behind(b, "a") + kDims, uint64_t(0)); })},
    {"2^32 x 2^32 elements", kInvalid, "tensor 'a'", patched([](auto &b) {
       put(b, behind(b, "a") + kDims, 1ull << 32);
       put(b, behind(b, "a") + kDims + 8, 1ull << 32);
     })},
    {"2^63 x 2 elements", kInvalid, "tensor 'a'", patched([](auto &b) {
       put(b, behind(b, "a") + kDims, 1ull << 63);
       put(b, behind(b, "a") + kDims + 8, uint64_t(2));
     })},
    {"2^62 elements of four bytes", kInvalid, "tensor 'a'", patched([](auto &b) {
       put(b, behind(b, "a") + kDims, 1ull << 62);
       put(b, behind(b, "a") + kDims + 8, uint64_t(1));
     })},
    {"2^61 + 6 elements, whose bytes wrap around to 24", kInvalid, "tensor 'a'", patched([](auto &b) {
       put(b, behind(b, "a") + kDims, (1ull << 62) + 6);
       put(b, behind(b, "a") + kDims + 8, uint64_t(1));
     })},
    {"four dimensions of 65,536", kInvalid, "tensor 'a'", edited([](auto &f) {
       f.tensors[0].shape = {65536, 65536, 65536, 65536};
     })},
    {"a tensor larger than the file", kInvalid, "truncated: tensor 'a' needs bytes",
     patched([](auto &b) { put(b, behind(b, "a") + kDims, 1ull << 40); })},
    {"llama.cpp's q4_0", kUnsupported, "has GGUF type 2, expected f32 (0), f16 (1) or i32 (26)",
     edited([](auto &f) { f.tensors[0].type = 2; })},
    {"tensor type 2^32 - 1", kUnsupported, "has GGUF type 4294967295",
     edited([](auto &f) { f.tensors[0].type = ~0u; })},
    {"an offset of 2^64 - 1", kInvalid, "is at data offset 18446744073709551615, expected 0",
     patched([](auto &b) { put(b, behind(b, "a") + kDims + 20, ~0ull); })},
    {"an offset that wraps around with the size", kInvalid,
     "is at data offset 18446744073709551360, expected 256",
     patched([](auto &b) { put(b, behind(b, "w:q") + kDims + 20, ~0ull - 255); })},
    {"an odd offset", kInvalid, "is at data offset 257, expected 256",
     patched([](auto &b) { put(b, behind(b, "w:q") + kDims + 20, uint64_t(257)); })},
    {"tensors over each other", kInvalid, "is at data offset 0, expected 256",
     patched([](auto &b) { put(b, behind(b, "w:q") + kDims + 20, uint64_t(0)); })},
    {"a gap between tensors", kInvalid, "is at data offset 512, expected 256",
     patched([](auto &b) { put(b, behind(b, "w:q") + kDims + 20, uint64_t(512)); })},
    {"no padding at the end", kInvalid, "the file has", patched([](auto &b) { b.resize(b.size() - 248); })},
    {"a byte too many", kInvalid, "the file has", patched([](auto &b) { b += '\0'; })},
    {"another 256 bytes", kInvalid, "the file has", patched([](auto &b) { b.resize(b.size() + 256); })},
    // Planes.
    {"a plane of a kind that is not known", kInvalid, "'w:b' is not a plane this build knows",
     edited([](auto &f) { f.tensors[1].name = "w:b"; })},
    {"a plane of nothing", kInvalid, "':q' is not a plane this build knows",
     edited([](auto &f) { f.tensors[1].name = ":q"; })},
    {"scales without codes", kInvalid, "'w:s' is not a plane this build knows",
     edited([](auto &f) { f.tensors.erase(f.tensors.begin() + 1); })},
    {"codes without scales", kInvalid, "'w:q' is not followed by its scales 'w:s'",
     edited([](auto &f) { f.tensors.erase(f.tensors.begin() + 2); })},
    {"codes at the end", kInvalid, "is not followed by its scales", edited([](auto &f) {
       std::swap(f.tensors[1], f.tensors[3]);
       f.tensors.erase(f.tensors.begin() + 2);
     })},
    {"another tensor's scales", kInvalid, "is not followed by its scales",
     edited([](auto &f) { f.tensors[2].name = "v:s"; })},
    {"scales of two groups for codes of one", kInvalid, "fit no encoding", edited([](auto &f) {
       f.tensors[2] = {"w:s", {2, 3}, 1, std::string(12, '\0')};
     })},
    {"scales as f32", kInvalid, "fit no encoding", edited([](auto &f) {
       f.tensors[2] = {"w:s", {2, 1}, 0, std::string(8, '\0')};
     })},
    {"codes as f16", kInvalid, "fit no encoding", edited([](auto &f) {
       f.tensors[1] = {"w:q", {2, 8}, 1, std::string(32, '\0')};
     })},
    // Graphs.
    {"a graph without a name", kInvalid, "is not a named graph's text",
     edited([](auto &f) { f.add("fovea.graph.", kGraph); })},
    {"a graph that is a number", kInvalid, "is not a named graph's text",
     edited([](auto &f) { f.add("fovea.graph.h", 1u); })},
    {"a graph under another name", kGraphError, "graph 'g' is stored as 'h'",
     edited([](auto &f) { f.add("fovea.graph.h", kGraph); })},
    {"an empty graph", kGraphError, "the graph text is empty",
     edited([](auto &f) { f.add("fovea.graph.h", ""); })},
    {"a graph of another language", kGraphError, "expected 'graph NAME'",
     edited([](auto &f) { f.add("fovea.graph.h", "def h(x): return x\n"); })},
    {"an unknown op", kGraphError, "unknown op 'execute'",
     edited([](auto &f) { f.add("fovea.graph.h", "graph h\n  out y = execute(a)\n"); })},
    {"a tensor that the file lacks", kGraphError, "'z' is neither a value nor a tensor",
     edited([](auto &f) { f.add("fovea.graph.h", "graph h\n  out y = softmax(z)\n"); })},
    {"a value defined twice", kGraphError, "is defined twice",
     edited([](auto &f) { f.add("fovea.graph.h", "graph h\n  y = softmax(a)\n  y = softmax(a)\n"); })},
    {"a value used before it is defined", kGraphError, "'y' is defined twice, or used before",
     edited([](auto &f) { f.add("fovea.graph.h", "graph h\n  x = softmax(y)\n  y = softmax(a)\n"); })},
    {"a dimension beyond 64 bits", kGraphError, "is not a valid number",
     edited([](auto &f) { f.add("fovea.graph.h", "graph h\n  in x f32 [99999999999999999999]\n"); })},
    {"too many steps", kGraphError, "step", edited([](auto &f) {
       std::string text = "graph h\n";
       for (int i = 0; i < 40; ++i) text += concat("  step s", i, "\n");
       f.add("fovea.graph.h", text.c_str());
     })},
};

/// As convert() writes it: with the checksum.
std::string written() {
  const TempFolder folder;
  GgufWriter writer(folder / "m");
  writer.add("general.architecture", std::string("fovea"));
  writer.add("words", std::vector<std::string>{"a", "", "bc"});
  writer.add("scores", std::vector<float>{0.5f, 0.25f});
  writer.add("flag", true);
  writer.add_graph("g", kGraph);
  writer.add_tensor("w", {{2, 32}, Encoding::Q8});
  writer.add_tensor("b", {{2}, Encoding::F32});
  for (const size_t n : {64, 4, 8}) writer.write(std::vector<std::byte>(n, std::byte{0x11}));
  writer.commit();
  return read_file(folder / "m");
}

} // namespace

TEST_CASE("hostile: flat files made wrong by hand are refused by what is wrong with them") {
  CHECK_NOTHROW(opened(sample().bytes()));
  CHECK(std::size(kFaults) >= 80);
  for (const Fault &fault : kFaults) {
    CAPTURE(fault.name);
    const std::string bytes = fault.file();
    try {
      opened(bytes);
      FAIL_CHECK("was accepted");
    } catch (const Error &error) {
      const std::string_view text = error.what();
      CAPTURE(text);
      CHECK(error.code() == fault.code);
      CHECK(text.starts_with("m.gguf: "));
      CHECK(text.find(fault.says) != std::string_view::npos);
      CHECK(text.find('\n') == std::string_view::npos);
      CHECK(text.size() < 500);
    }
  }
}

TEST_CASE("hostile: a flat file cut anywhere is refused") {
  const std::string whole = sample().bytes();
  for (size_t size = 0; size < whole.size(); ++size) {
    CAPTURE(size);
    // A copy of just these bytes: a sanitizer sees any read past them.
    const std::string cut(whole.begin(), whole.begin() + std::ptrdiff_t(size));
    CHECK_THROWS_AS((void)opened(cut), Error);
  }
  MESSAGE("cut at " << whole.size() << " places");
}

TEST_CASE("hostile: no bit of header and directory flips unnoticed") {
  const std::string whole = written();
  CHECK_NOTHROW(opened(whole).verify_once());
  size_t n_at_opening = 0, n_by_checksum = 0;
  const size_t end = behind(whole, "b") + kDims + 8 + 4 + 8;
  for (size_t at = 0; at < end; ++at)
    for (int bit = 0; bit < 8; ++bit) {
      std::string damaged = whole;
      damaged[at] = char(damaged[at] ^ (1 << bit));
      CAPTURE(at);
      CAPTURE(bit);
      try {
        const Model model = opened(damaged); // another name, value or word of a graph may make sense
        CHECK_THROWS_WITH_AS(model.verify_once(), doctest::Contains("checksum"), Error);
        ++n_by_checksum;
      } catch (const Error &) {
        ++n_at_opening;
      }
    }
  CHECK(n_at_opening + n_by_checksum == 8 * end);
  CHECK(n_at_opening > n_by_checksum / 4);
  MESSAGE((8 * end) << " bits: " << n_at_opening << " refused at opening, " << n_by_checksum
                    << " by the checksum");
}
