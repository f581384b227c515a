// How kernels lie in the library: packed, and back word for word.
#include "kernels/catalogue.h"
#include "kernels/packed_kernels.h"
#include "kernels/spirv_codec.h"
#include "support/error_text.h"

#include <doctest/doctest.h>
#include <random>

using namespace fovea;

namespace {

std::vector<uint8_t> random_bytes(std::mt19937 &random, size_t n, uint32_t n_values) {
  std::vector<uint8_t> bytes(n);
  for (uint8_t &b : bytes) b = uint8_t(random() % n_values);
  return bytes;
}

/// Whole instructions of any opcode, with any operands.
std::vector<uint32_t> random_module(std::mt19937 &random) {
  std::vector<uint32_t> words{0x07230203, uint32_t(random()), uint32_t(random()), uint32_t(random()), 0};
  for (uint32_t n = uint32_t(random() % 200); n > 0; --n) {
    const uint32_t op = random() % 4 ? uint32_t(random() % 450) : uint32_t(random() & 0xFFFF);
    const uint32_t length = 1 + uint32_t(random() % (random() % 50 ? 8 : 300));
    words.push_back(length << 16 | op);
    for (uint32_t i = 1; i < length; ++i)
      words.push_back(random() % 2 ? uint32_t(random() % 300) : uint32_t(random()));
  }
  return words;
}

ErrorCode code_of(const auto &body) {
  try {
    body();
  } catch (const Error &e) {
    return e.code();
  }
  FAIL("no error");
  return {};
}

/// Error Internal, or anything else that is no crash.
template <class Body> void survives(const Body &body) {
  try {
    body();
  } catch (const Error &e) {
    CHECK(e.code() == ErrorCode::Internal);
  }
}

} // namespace

TEST_CASE("packed kernels: every module comes back, and the hash is of its words") {
  uint64_t hash = 0xCBF29CE484222325ull;
  size_t n_words = 0;
  for (uint32_t id = 0; id < kKernelCount; ++id) {
    CAPTURE(to_string(KernelId(id)));
    REQUIRE(is_linked(KernelId(id)));
    const std::vector<uint32_t> words = spirv(KernelId(id));
    CHECK(words_of(bytes_of(words)) == words);
    bool subgroups = false;
    for (size_t at = 5; at < words.size() && (words[at] & 0xFFFF) == 17; at += words[at] >> 16)
      subgroups |= words[at + 1] == 61;
    CHECK(uses_subgroups(KernelId(id)) == subgroups);
    for (const uint32_t word : words)
      for (int shift = 0; shift < 32; shift += 8) hash = (hash ^ (word >> shift & 0xFF)) * 0x100000001B3ull;
    n_words += words.size();
  }
  CHECK(spirv_hash() == hash);
  CHECK(packed_kernels().bytes.size() * 5 < n_words * 4);
}

TEST_CASE("SPIR-V codec: any whole instructions come back") {
  for (uint32_t seed = 0; seed < 300; ++seed) {
    CAPTURE(seed);
    std::mt19937 random(seed);
    const std::vector<uint32_t> words = random_module(random);
    CHECK(words_of(bytes_of(words)) == words);
  }
  std::vector<uint32_t> largest{0x07230203, 0, 0, 0xFFFFFFFF, 0, 0xFFFF0000 | 128};
  largest.resize(5 + 0xFFFF, 0xFFFFFFFF);
  CHECK(words_of(bytes_of(largest)) == largest);
}

TEST_CASE("SPIR-V codec: what is no module is refused") {
  const std::vector<uint32_t> words = spirv(KernelId::layer_norm);
  CHECK(code_of([] { bytes_of({}); }) == ErrorCode::InvalidArgument);
  std::vector<uint32_t> other = words;
  other[0] ^= 1;
  CHECK(test::error_text([&] { bytes_of(other); }) == "not a SPIR-V module");
  CHECK(test::error_text([&] { bytes_of(std::span(words).first(6)); }) == "the SPIR-V module is truncated");
}

TEST_CASE("byte codec: bytes come back, with a dictionary and without") {
  for (uint32_t seed = 0; seed < 300; ++seed) {
    CAPTURE(seed);
    std::mt19937 random(seed);
    const uint32_t n_values = seed % 3 == 0 ? 2 : seed % 3 == 1 ? 8 : 256;
    const auto dictionary = random_bytes(random, random() % 500, n_values);
    auto bytes = random_bytes(random, random() % 2000, n_values);
    if (dictionary.size() > 100) // and a long run of it
      bytes.insert(bytes.begin() + ptrdiff_t(bytes.size() / 2), dictionary.begin() + 10, dictionary.end());
    CHECK(lengthen(shorten(bytes), bytes.size()) == bytes);
    CHECK(lengthen(shorten(bytes, dictionary), bytes.size(), dictionary) == bytes);
  }
  const std::vector<uint8_t> zeros(100000);
  CHECK(shorten(zeros).size() < 20);
  CHECK(lengthen(shorten(zeros), zeros.size()) == zeros);
}

TEST_CASE("codecs: damage ends in an error or in other words, not in a crash") {
  const std::vector<uint8_t> stream = bytes_of(spirv(KernelId::layer_norm));
  std::vector<uint8_t> packed = shorten(stream);
  for (size_t n = 0; n < packed.size(); ++n)
    CHECK(code_of([&] { lengthen(Bytes(packed).first(n), stream.size()); }) == ErrorCode::Internal);
  for (size_t n = 0; n < stream.size(); ++n)
    CHECK(code_of([&] { words_of(Bytes(stream).first(n)); }) == ErrorCode::Internal);
  std::mt19937 random(1);
  for (int i = 0; i < 3000; ++i) {
    auto damaged = stream;
    damaged[random() % damaged.size()] = uint8_t(random());
    survives([&] { words_of(damaged); });
    damaged = packed;
    damaged[random() % damaged.size()] = uint8_t(random());
    survives([&] { lengthen(damaged, stream.size()); });
  }
}
