// The patterns by which readers of model files, sounds and pictures have been broken before, tried on every
// format that strangers' files come in: sizes that overflow, ranks beyond fixed arrays, offset and size past
// the end, duplicate keys, files that are two formats at once, huge counts in files of a hundred bytes, deep
// JSON.
#include "audio/audio.h"
#include "converter/json.h"
#include "converter/sources/formats.h"
#include "converter/sources/pytorch.h"
#include "converter/sources/safetensors.h"
#include "converter/tokenizers/tokenizer.h"
#include "image/image.h"
#include "tests/support/gguf_files.h"
#include "tests/support/pytorch_files.h"

#include <doctest/doctest.h>

using namespace fovea;
using namespace fovea::test;

namespace {

std::span<const std::byte> bytes_of(const std::string &text) {
  return std::as_bytes(std::span(text.data(), text.size()));
}

// Readers of a whole file in memory.
void as_safetensors(const std::string &file) {
  Source source("m", "test");
  add_safetensors(source, InputFile("m", bytes_of(file)));
  source.finish();
}
void as_pytorch(const std::string &file) {
  Source source("m", "test");
  add_pytorch(source, InputFile("m", bytes_of(file)));
  source.finish();
}
void as_gguf(const std::string &file) { open_gguf(InputFile("m", bytes_of(file))); }
void as_ggml(const std::string &file) { open_whisper_ggml(InputFile("m", bytes_of(file))); }
void as_tokenizer(const std::string &text) {
  Source source("m", "test");
  source.add_text("tokenizer.json", text);
  read_tokenizer(source, 8);
}
void as_config(const std::string &text) { (void)Config::parse(text, "m"); }
void as_index(const std::string &text) { (void)read_weight_map(text, "m", ".safetensors"); }
void as_picture(const std::string &file) { (void)decode_image(bytes_of(file), "m"); }
void as_sound(const std::string &file) { (void)read_audio(bytes_of(file), "m"); }

struct Pattern {
  const char *name;
  void (*read)(const std::string &file);
  ErrorCode code;
  const char *says;
  std::string file;
};

std::string header(const std::string &json, size_t n_data = 16) {
  return safetensors(json, std::string(n_data, '\0'));
}
std::string one_tensor(const std::string &shape, const std::string &offsets, const char *dtype = "F32") {
  return header(
      concat(R"({"a":{"dtype":")", dtype, R"(","shape":)", shape, R"(,"data_offsets":)", offsets, "}}"));
}

GgufFile gguf() {
  GgufFile file;
  file.add("general.architecture", "llama");
  file.add_f32("a", {2, 2}, {1, 2, 3, 4});
  return file;
}
std::string gguf_with(void (*edit)(GgufFile &)) {
  GgufFile file = gguf();
  edit(file);
  return file.bytes();
}
template <class T> std::string replaced(std::string file, size_t at, T value) {
  return file.replace(at, sizeof value, raw(value));
}
size_t behind(const std::string &file, const std::string &name) {
  return file.find(gguf_text(name)) + 8 + name.size();
}

std::string ggml(const std::vector<GgmlTensor> &tensors, const std::vector<std::string> &tokens = {"a"},
                 int32_t n_mel = 1) {
  return whisper_ggml({51864, 8, 8, 2, 1, 8, 8, 2, 1, 4, 0}, n_mel, 1, {0}, tokens, tensors);
}

TorchStorage storage(int64_t elements = 4) { return {"0", "FloatStorage", elements, std::string(16, '\0')}; }
std::string torch_tensor(std::vector<int64_t> shape, std::vector<int64_t> strides, int64_t offset = 0) {
  return pytorch_zip({{"a", storage(), offset, std::move(shape), std::move(strides)}});
}
std::string long_int(uint64_t value) { return "\x8a\x08" + raw(value); }
/// A tensor of one dimension of any 64-bit size.
std::string torch_long(uint64_t size, uint64_t stride, uint64_t offset) {
  const std::string id = concat("(", pickled_text("storage"), pickled_global("torch", "FloatStorage"),
                                pickled_text("0"), pickled_text("cpu"), pickled_int(4), "tQ");
  const std::string tensor =
      concat(pickled_global("torch._utils", "_rebuild_tensor_v2"), "(", id, long_int(offset), "(",
             long_int(size), "t(", long_int(stride), "t\x89}tR");
  return pytorch_zip(concat("}", pickled_text("a"), tensor, "s"), {{"a", storage(), 0, {4}, {1}}});
}
/// The end record of a zip that claims a directory.
std::string zip_end(uint16_t count, uint32_t bytes, uint32_t offset) {
  return "PK\3\4" + std::string(60, '\0') + raw(uint32_t(0x06054b50)) + raw(uint32_t(0)) + raw(count) +
         raw(count) + raw(bytes) + raw(offset) + raw(uint16_t(0));
}

std::string png(uint32_t width, uint32_t height) {
  const auto big = [](uint32_t v) {
    return std::string{char(v >> 24), char(v >> 16), char(v >> 8), char(v)};
  };
  return "\x89PNG\r\n\x1A\n" + big(13) + "IHDR" + big(width) + big(height) +
         std::string("\x08\x02\0\0\0", 5) + std::string(40, '\0');
}
std::string wav(uint16_t channels, uint32_t rate, uint16_t bits, uint32_t n_bytes) {
  const uint16_t frame = uint16_t(channels * bits / 8);
  return "RIFF" + raw(36 + n_bytes) + "WAVEfmt " + raw(16u) + raw(uint16_t(1)) + raw(channels) + raw(rate) +
         raw(rate * frame) + raw(frame) + raw(bits) + "data" + raw(n_bytes) + std::string(8, '\1');
}

std::string nested(const std::string &open, size_t n) {
  std::string out;
  for (size_t i = 0; i < n; ++i) out += open;
  return out;
}

constexpr ErrorCode kInvalid = ErrorCode::InvalidFile, kUnsupported = ErrorCode::Unsupported;

std::vector<Pattern> patterns() {
  const std::string deep = nested("[", 100'000), deep_objects = nested("{\"a\":", 100'000);
  return {
      // Sizes that overflow.
      {"2^32 x 2^32 elements", as_safetensors, kInvalid, "", one_tensor("[4294967296,4294967296]", "[0,16]")},
      {"2^63 x 2 elements", as_safetensors, kInvalid, "", one_tensor("[9223372036854775808,2]", "[0,16]")},
      {"2^62 + 4 elements of four bytes", as_safetensors, kInvalid, "",
       one_tensor("[4611686018427387908]", "[0,16]")},
      {"a size beyond 64 bits", as_safetensors, kInvalid, "unexpected a fraction",
       one_tensor("[99999999999999999999]", "[0,16]")},
      {"a negative size", as_safetensors, kInvalid, "unexpected a negative number",
       one_tensor("[-4]", "[0,16]")},
      {"2^32 x 2^32 elements", as_gguf, kInvalid, "", gguf_with([](auto &f) {
         f.tensors[0].shape = {1ull << 32, 1ull << 32};
       })},
      {"2^62 + 4 elements of four bytes", as_gguf, kInvalid, "",
       gguf_with([](auto &f) { f.tensors[0].shape = {(1ull << 62) + 4}; })},
      {"four dimensions of 2^30", as_ggml, kInvalid, "",
       ggml({{"a", 0, {1 << 30, 1 << 30, 1 << 30, 1 << 30}, ""}})},
      {"a negative dimension", as_ggml, kInvalid, "tensor dimension is -1", ggml({{"a", 0, {-1}, ""}})},
      {"three dimensions of 2^31 - 1", as_pytorch, kInvalid, "",
       torch_tensor({2147483647, 2147483647, 2147483647}, {1, 1, 1})},
      {"2^63 - 1 elements", as_pytorch, kInvalid, "", torch_long((1ull << 63) - 1, 1, 0)},
      {"a stride of 2^62", as_pytorch, kInvalid, "", torch_long(4, 1ull << 62, 0)},
      {"a negative size", as_pytorch, kInvalid, "a tensor's size is -1", torch_long(~0ull, 1, 0)},
      // Ranks beyond fixed arrays.
      {"rank 5", as_safetensors, kUnsupported, "has 5 dimensions, at most 4",
       one_tensor("[1,1,1,1,4]", "[0,16]")},
      {"rank 65", as_safetensors, kInvalid, "an array of more than 64 numbers",
       one_tensor("[1" + nested(",1", 64) + "]", "[0,16]")},
      {"rank 5", as_gguf, kInvalid, "has 5 dimensions", gguf_with([](auto &f) {
         f.tensors[0].shape = {1, 1, 1, 2, 2};
       })},
      {"rank 2^32 - 1", as_gguf, kInvalid, "has 4294967295 dimensions",
       replaced(gguf().bytes(), behind(gguf().bytes(), "a"), ~0u)},
      {"rank 5", as_ggml, kInvalid, "tensor rank is 5, expected 1 to 4",
       ggml({{"a", 0, {1, 1, 1, 1, 1}, std::string(4, '\0')}})},
      {"rank 2^31 - 1", as_ggml, kInvalid, "tensor rank is 2147483647",
       ggml({}) + raw(0x7FFFFFFF) + raw(1) + raw(0)},
      {"rank 5", as_pytorch, kUnsupported, "5 dimensions, at most 4",
       torch_tensor({1, 1, 1, 1, 4}, {4, 4, 4, 4, 1})},
      {"rank 1000", as_pytorch, kUnsupported, "1000 dimensions, at most 4",
       torch_tensor(std::vector<int64_t>(1000, 1), std::vector<int64_t>(1000, 1))},
      // Offset and size past the end.
      {"offsets that wrap around", as_safetensors, kInvalid, "",
       one_tensor("[4]", "[18446744073709551600,18446744073709551616]")},
      {"offsets at the end of 64 bits", as_safetensors, kInvalid, "",
       one_tensor("[4]", "[18446744073709551599,18446744073709551615]")},
      {"offsets backwards", as_safetensors, kInvalid, "its data_offsets are [16, 0]",
       one_tensor("[4]", "[16,0]")},
      {"offsets past the end", as_safetensors, kInvalid, "truncated: tensor 'a'",
       one_tensor("[4]", "[4,20]")},
      {"a header longer than the file", as_safetensors, kInvalid, "a header of 1000 bytes",
       raw(uint64_t(1000)) + "{}"},
      {"a header of 2^64 - 1 bytes", as_safetensors, kInvalid, "a header of 18446744073709551615 bytes",
       raw(~0ull) + "{}"},
      {"an offset of 2^64 - 32", as_gguf, kInvalid, "",
       replaced(gguf().bytes(), behind(gguf().bytes(), "a") + 24, ~0ull - 31)},
      {"an offset past the end", as_gguf, kInvalid, "",
       replaced(gguf().bytes(), behind(gguf().bytes(), "a") + 24, uint64_t(32))},
      {"an offset of 2^63 - 1", as_pytorch, kInvalid, "", torch_long(4, 1, (1ull << 63) - 1)},
      {"a storage larger than its entry", as_pytorch, kInvalid, "needs 4000 bytes, its entry has 16",
       pytorch_zip({{"a", storage(1000), 0, {4}, {1}}})},
      {"a zip directory past the end", as_pytorch, kInvalid, "the zip directory is not in the file",
       zip_end(1, 46, 0xFFFFFFF0)},
      {"zip64 without its record", as_pytorch, kInvalid, "no zip64 record",
       zip_end(0xFFFF, 0xFFFFFFFF, 0xFFFFFFFF)},
      // Duplicate keys.
      {"a tensor twice", as_safetensors, kInvalid, "",
       header(R"({"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},)"
              R"("a":{"dtype":"F32","shape":[1],"data_offsets":[4,8]}})")},
      {"a dtype twice", as_safetensors, kInvalid, "a second value",
       header(R"({"a":{"dtype":"F32","dtype":"F16","shape":[1],"data_offsets":[0,4]}})")},
      {"metadata twice", as_gguf, kInvalid, "is there twice",
       gguf_with([](auto &f) { f.add("general.architecture", "qwen2"); })},
      {"a tensor twice", as_ggml, kInvalid, "is there twice",
       ggml({{"a", 0, {1}, raw(1.f)}, {"a", 0, {1}, raw(2.f)}})},
      {"a zip entry twice", as_pytorch, kInvalid, "is there twice",
       zip({{"m/data.pkl", "a"}, {"m/data.pkl", "b"}})},
      {"tensors over each other", as_safetensors, kInvalid, "overlap",
       header(R"({"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]},)"
              R"("b":{"dtype":"F32","shape":[2],"data_offsets":[4,12]}})")},
      // Two formats at once, or the wrong one.
      {"a zip", as_safetensors, kInvalid, "", zip({{"m/data.pkl", "a"}})},
      {"a zip without a checkpoint", as_pytorch, kUnsupported, "without data.pkl",
       zip({{"config.json", "{}"}, {"model.safetensors", "a"}})},
      {"a picture", as_sound, kInvalid, "cannot be read as audio", png(1, 1)},
      {"a sound", as_picture, kInvalid, "not an image", wav(1, 16000, 16, 8)},
      {"a script", as_picture, kInvalid, "not an image", "#!/bin/sh\nexit 1\n"},
      {"GGUF", as_ggml, kInvalid, "not a whisper.cpp ggml file", gguf().bytes()},
      {"whisper.cpp's", as_gguf, kInvalid, "not a GGUF file", ggml({})},
      {"a pickle that runs a program", as_pytorch, kUnsupported, "'posix.system', which is not run",
       pytorch_zip(concat(pickled_global("posix", "system"), pickled_text("true"), "\x85R"), {})},
      // Huge counts in a hundred bytes.
      {"2^64 - 1 tensors", as_gguf, kInvalid, "tensors",
       replaced(replaced(std::string("GGUF\3\0\0\0", 8) + std::string(92, '\0'), 8, ~0ull), 16, uint64_t(0))},
      {"2^64 - 1 metadata entries", as_gguf, kInvalid, "metadata entries",
       replaced(std::string("GGUF\3\0\0\0", 8) + std::string(92, '\0'), 16, ~0ull)},
      {"2^40 texts", as_gguf, kInvalid, "strings",
       gguf_with([](auto &f) { f.entry("k", 9, raw(8u) + raw(uint64_t(1) << 40)); })},
      {"2^20 tokens", as_ggml, kInvalid, "", ggml({}).replace(60, 4, raw(1 << 20))},
      {"a token of 2^32 - 1 bytes", as_ggml, kInvalid, "a token of 4294967295 bytes",
       ggml({}).replace(64, 4, raw(~0u))},
      {"2^26 mel filters", as_ggml, kInvalid, "truncated: mel filters",
       ggml({}).replace(48, 8, raw(1 << 10) + raw(1 << 16))},
      {"65,534 zip entries", as_pytorch, kInvalid, "a zip directory of 65534 entries", zip_end(65534, 46, 0)},
      {"a text of 2^31 - 1 bytes", as_pytorch, kInvalid, "a text of 2147483647 bytes",
       pytorch_zip(concat("X", raw(0x7FFFFFFFu)), {})},
      {"memo slot 2^32 - 1", as_pytorch, kInvalid, "memo slot 4294967295",
       pytorch_zip(concat("Nr", raw(~0u)), {})},
      {"2^31 x 2^31 pixels", as_picture, kInvalid, "a side may have 65535", png(1u << 31, 1u << 31)},
      {"65,535 x 65,535 pixels", as_picture, kInvalid, "are more than the", png(65535, 65535)},
      {"10,000 x 10,000 pixels", as_picture, kInvalid, "cannot hold them", png(10000, 10000)},
      {"no pixels", as_picture, kInvalid, "a PNG of 0 x 1 pixels", png(0, 1)},
      {"65,535 channels", as_sound, kInvalid, "", wav(65535, 16000, 8, 8)},
      {"no channels", as_sound, kInvalid, "", wav(0, 16000, 16, 8)},
      {"2^31 samples a second", as_sound, kInvalid, "", wav(1, 1u << 31, 16, 8)},
      {"a gigabyte of sound in eight bytes", as_sound, kInvalid, "before its header says",
       wav(1, 16000, 16, 1 << 30)},
      // Deep JSON.
      {"arrays in a header", as_safetensors, kInvalid, "", header(deep)},
      {"objects in a header", as_safetensors, kInvalid, "", header(deep_objects)},
      {"arrays", as_config, kInvalid, "nested deeper than 64", deep},
      {"objects", as_config, kInvalid, "nested deeper than 64", deep_objects},
      {"arrays", as_tokenizer, kInvalid, "nested deeper than 64", deep},
      {"objects", as_tokenizer, kInvalid, "nested deeper than 64", deep_objects},
      {"objects", as_index, kInvalid, "nested deeper than 64", R"({"weight_map":)" + deep_objects},
      {"a way out of the folder", as_index, kInvalid, "weight_map names '../a.safetensors'",
       R"({"weight_map":{"a":"../a.safetensors"}})"},
      {"a hidden file", as_index, kInvalid, "weight_map names '.a.safetensors'",
       R"({"weight_map":{"a":".a.safetensors"}})"},
      {"a name that is cut by a zero", as_index, kInvalid, "weight_map names",
       R"({"weight_map":{"a":"a\u0000.safetensors"}})"},
  };
}

} // namespace

TEST_CASE("hostile: published patterns, in every format") {
  const std::vector<Pattern> all = patterns();
  CHECK(all.size() >= 70);
  for (const Pattern &p : all) {
    CAPTURE(p.name);
    CAPTURE(p.file.substr(0, 40));
    try {
      p.read(p.file);
      FAIL_CHECK("was accepted");
    } catch (const Error &error) {
      const std::string_view text = error.what();
      CAPTURE(text);
      CHECK(error.code() == p.code);
      CHECK(text.find(p.says) != std::string_view::npos);
      CHECK(text.find('\n') == std::string_view::npos);
      CHECK(text.size() < 1000);
    }
  }
}

TEST_CASE("hostile: what is well formed reads") { // so that the patterns fail for what they are made of
  CHECK_NOTHROW(as_safetensors(one_tensor("[4]", "[0,16]")));
  CHECK_NOTHROW(as_pytorch(torch_tensor({4}, {1})));
  CHECK_NOTHROW(as_pytorch(torch_long(4, 1, 0)));
  CHECK_NOTHROW(as_ggml(ggml({{"a", 0, {1}, raw(1.f)}})));
  CHECK_NOTHROW(as_index(R"({"weight_map":{"a":"a.safetensors"}})"));
  CHECK_NOTHROW(as_sound(wav(1, 16000, 16, 8)));
  CHECK_THROWS_WITH_AS(as_gguf(gguf().bytes()), doctest::Contains("llama.embedding_length"), Error);
}
