#include "base/half.h"
#include "base/mapped_file.h"
#include "base/tensor_type.h"
#include "support/temp_folder.h"

#include <cmath>
#include <cstring>
#include <doctest/doctest.h>
#include <filesystem>
#include <fstream>
#include <limits>

using namespace fovea;

TEST_CASE("half: every binary16 value survives the round trip") {
  for (uint32_t h = 0; h < 65536; ++h) {
    const float f = half_to_float(uint16_t(h));
    if (std::isnan(f))
      CHECK(std::isnan(half_to_float(float_to_half(f))));
    else
      CHECK(float_to_half(f) == h);
  }
}

TEST_CASE("half: rounds to nearest even at every boundary between neighbours") {
  for (uint16_t h = 0; h < 0x7BFF; ++h) {
    const float low = half_to_float(h), high = half_to_float(uint16_t(h + 1)),
                middle = low + (high - low) / 2;
    const uint16_t even = h & 1 ? uint16_t(h + 1) : h;
    CHECK(float_to_half(middle) == even);
    CHECK(float_to_half(std::nextafter(middle, 0.f)) == h);
    CHECK(float_to_half(std::nextafter(middle, high)) == h + 1);
  }
  CHECK(float_to_half(65519.f) == 0x7BFF);
  CHECK(float_to_half(65520.f) == 0x7C00);
  CHECK(float_to_half(-std::numeric_limits<float>::infinity()) == 0xFC00);
}

TEST_CASE("shape: text, rows, overflow") {
  CHECK(to_string(Shape{1500, 384}) == "[1500, 384]");
  CHECK(to_string(Shape{}) == "[]");
  CHECK(Shape{2, 3, 4}.rows() == 6);
  CHECK(Shape{2, 3, 4}.dim(-1) == 4);
  CHECK(Shape{}.elements() == 1);
  CHECK_THROWS_AS((void)Shape({1ull << 40, 1ull << 40}).elements(), Error);
  CHECK_THROWS_AS((Shape{1, 2, 3, 4, 5}), Error);
}

TEST_CASE("encoding: bytes of planes") {
  CHECK(plane_bytes({3, 64}, Encoding::Q4) == 96);
  CHECK(scale_bytes({3, 64}, Encoding::Q4) == 12);
  CHECK(plane_bytes({3, 64}, Encoding::Q8) == 192);
  CHECK(plane_bytes({3, 5}, Encoding::F16) == 30);
  CHECK_THROWS_AS((void)plane_bytes({3, 33}, Encoding::Q8), Error);
  CHECK_THROWS_WITH_AS((void)parse_encoding("q5"), "unknown encoding 'q5' (known: f32, f16, i32, q8, q4)",
                       Error);
}

TEST_CASE("error: one line without control characters, of bounded length") {
  const std::string text = "a\n\x1b[31m\x7f\tb é";
  CHECK(Error(ErrorCode::Io, text).what() == std::string("a\\n\\x1b[31m\\x7f\\x09b é"));
  CHECK(Error(ErrorCode::Io, Error(ErrorCode::Io, text).what()).what() ==
        std::string(Error(ErrorCode::Io, text).what()));
  CHECK(std::string(Error(ErrorCode::Io, std::string(1 << 20, 'x')).what()).size() < 9000);
}

TEST_CASE("atomic file: replaces a file or what a link points to, with or without nameless files") {
  const test::TempFolder folder;
  const std::string path = folder / "out", link = folder / "link";
  std::filesystem::create_symlink("out", link);
  for (const auto kind : {AtomicFile::Kind::Named, AtomicFile::Kind::Nameless})
    for (const std::string &to : {path, link}) {
      test::write_file(path, "old");
      {
        AtomicFile file(to, kind);
        file.write("new");
        CHECK(folder.n_files() == (kind == AtomicFile::Kind::Named ? 3 : 2));
        if (kind == AtomicFile::Kind::Named) {
          size_t n_parts = 0; // what a kill would leave is recognisable
          for (const auto &entry : std::filesystem::directory_iterator(folder.path()))
            n_parts += entry.path().filename().string().rfind("out.part-", 0) == 0;
          CHECK(n_parts == 1);
        }
        CHECK(test::read_file(path) == "old");
        file.commit();
      }
      CHECK(test::read_file(path) == "new");
      CHECK(std::filesystem::is_symlink(link));
      CHECK(folder.n_files() == 2);
    }
}

TEST_CASE("atomic file: whole or not at all") {
  const auto folder = std::filesystem::temp_directory_path() / "fovea_atomic_test";
  std::filesystem::remove_all(folder);
  std::filesystem::create_directories(folder);
  const std::string path = (folder / "out").string();
  {
    AtomicFile file(path);
    file.write("abandoned");
  }
  CHECK(std::filesystem::is_empty(folder));
  {
    AtomicFile file(path);
    file.write("hello world");
    file.write_at(6, std::as_bytes(std::span("W", 1)));
    file.commit();
  }
  const MappedFile mapped(path);
  CHECK(std::memcmp(mapped.bytes().data(), "hello World", 11) == 0);
  CHECK(std::distance(std::filesystem::directory_iterator(folder), {}) == 1);
  CHECK_THROWS_AS(AtomicFile((folder / "no" / "such").string()), Error);
  CHECK_THROWS_AS(AtomicFile("/dev/null"), Error);
  CHECK_NOTHROW(write_whole_file("/dev/null", {}));
  CHECK_THROWS_AS(MappedFile((folder / "absent").string()), Error);
  CHECK_THROWS_AS(MappedFile(folder.string()), Error);
  std::filesystem::remove_all(folder);
}
