// Pipelines: batches, failures, and the cache on disk, which is never trusted.
#include "base/mapped_file.h"
#include "tests/vk/support.h"

#include <chrono>
#include <fstream>
#include <sys/stat.h>
#include <thread>

namespace fovea::vk {
namespace {

std::string only_file(const std::filesystem::path &folder) {
  std::string found;
  for (const auto &entry : std::filesystem::directory_iterator(folder)) {
    CHECK(found.empty());
    found = entry.path().string();
  }
  return found;
}

std::string read_text(const std::string &path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}
void write_text(const std::string &path, const std::string &text) {
  std::ofstream(path, std::ios::binary | std::ios::trunc) << text;
}

} // namespace

TEST_CASE("kernels: one each, created in a batch off this thread") {
  const uint64_t before = validation_error_count();
  const auto device = test::open();
  std::vector<KernelVariant> variants;
  for (uint32_t size : {16u, 32u, 64u, 128u, 32u}) variants.push_back({KernelId::layer_norm, {size}, 0});
  variants.push_back({KernelId::layer_norm, {1u << 20}, 0}); // larger than any device's limit
  size_t last = 0;
  const std::vector<KernelFailure> failures =
      device->kernels().create_batch(variants, [&](size_t done, size_t total) {
        CHECK(done > last);
        CHECK(total == 5);
        last = done;
      });
  CHECK(last == 5);
  REQUIRE(failures.size() == 1);
  CHECK(failures[0].variant.spec[0] == 1u << 20);
  CHECK(failures[0].error.code() == ErrorCode::Unsupported);
  CHECK(&device->kernels().get(variants[1]) == &device->kernels().get(variants[4]));
  CHECK(test::error_of([&] { device->kernels().get(variants[5]); }).code() == ErrorCode::Unsupported);
  CHECK(device->kernels().create_batch(std::span(variants).first(5)).empty());
  CHECK(test::error_of([&] {
          device->kernels().get({KernelId::layer_norm, {}, 0});
        }).code() == ErrorCode::Internal);
  CHECK(validation_error_count() == before);
}

TEST_CASE("kernels: those created ahead are the ones got, and an error waits for whoever needs the kernel") {
  const uint64_t before = validation_error_count();
  const auto device = test::open();
  const std::vector<KernelVariant> variants = {{KernelId::layer_norm, {1u << 20}, 0}, // too large
                                               {KernelId::layer_norm, {}, 0},         // no workgroup size
                                               {KernelId::layer_norm, {64}, 0},
                                               {KernelId::layer_norm, {128}, 0}};
  for (int i = 0; i < 3; ++i) device->kernels().create_ahead(variants); // again while at it, or after
  CHECK(test::error_of([&] { device->kernels().get(variants[0]); }).code() == ErrorCode::Unsupported);
  CHECK(test::error_of([&] { device->kernels().get(variants[1]); }).code() == ErrorCode::Internal);
  const Kernel &kernel = device->kernels().get(variants[2]);
  CHECK(kernel.variant() == variants[2]);
  CHECK(&kernel == &device->kernels().get(variants[2]));
  const std::vector<KernelFailure> failures = device->kernels().create_batch(variants);
  REQUIRE(failures.size() == 2);
  CHECK(device->kernels().create_batch(std::span(variants).last(2)).empty());
  // Nobody asks for it: the thread alone creates it.
  const KernelVariant alone{KernelId::layer_norm, {32}, 0};
  device->kernels().create_ahead(std::span(&alone, 1));
  for (int i = 0; i < 3000 && !device->kernels().has(alone); ++i)
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  CHECK(device->kernels().has(alone));
  CHECK(validation_error_count() == before);
}

TEST_CASE("kernels: a device goes while kernels are created ahead") {
  const uint64_t before = validation_error_count();
  for (uint32_t turn = 0; turn < 4; ++turn) {
    const auto device = test::open();
    std::vector<KernelVariant> variants;
    for (uint32_t size = 1; size <= 128; ++size) variants.push_back({KernelId::layer_norm, {size}, 0});
    device->kernels().create_ahead(variants);
    std::this_thread::sleep_for(std::chrono::milliseconds(5 * turn));
  }
  CHECK(validation_error_count() == before);
}

TEST_CASE("kernels: a required subgroup size is given or refused") {
  const uint64_t before = validation_error_count();
  const auto device = test::open();
  const DeviceCaps &caps = device->caps();
  if (caps.subgroup_size_control || caps.fixed_subgroups())
    CHECK(device->kernels()
              .get({KernelId::layer_norm, {caps.subgroup_size * 2}, caps.subgroup_size})
              .pipeline());
  CHECK(test::error_of([&] {
          device->kernels().get({KernelId::layer_norm, {64}, 1024});
        }).code() == ErrorCode::Unsupported);
  CHECK(validation_error_count() == before);
}

TEST_CASE("pipeline cache: the wrapper refuses what it did not write") {
  std::vector<std::byte> data(100);
  for (size_t i = 0; i < data.size(); ++i) data[i] = std::byte(i);
  const std::vector<std::byte> file = wrap_cache(data, 42);
  const auto same = unwrap_cache(file, 42, nullptr);
  CHECK(std::equal(same.begin(), same.end(), data.begin(), data.end()));
  std::string why;
  CHECK(unwrap_cache(file, 43, &why).empty());
  CHECK(why == "made by another driver, device or version of Fovea");
  for (size_t n = 0; n < file.size(); ++n) CHECK(unwrap_cache(std::span(file).first(n), 42, &why).empty());
  CHECK(why == "truncated");
  for (size_t bit = 0; bit < file.size() * 8; ++bit) {
    std::vector<std::byte> flipped = file;
    flipped[bit / 8] ^= std::byte(1 << (bit % 8));
    CHECK(unwrap_cache(flipped, 42, &why).empty());
  }
  std::vector<std::byte> longer = file;
  longer.push_back({});
  CHECK(unwrap_cache(longer, 42, &why).empty());
}

TEST_CASE("pipeline cache: written, loaded, and ignored when damaged") {
  const uint64_t before = validation_error_count();
  const test::TemporaryFolder folder;
  const std::filesystem::path cache = folder.path / "a" / "b"; // made when missing
  const auto run = [&] {
    const auto device = test::open({.cache_folder = cache.string()});
    test::layer_norm(*device);
    return device->pipeline_cache().loaded();
  };
  CHECK_FALSE(run());
  if (!std::filesystem::exists(cache)) return; // a driver without cache data
  const std::string path = only_file(cache);
  const std::string good = read_text(path);
  CHECK(run());

  std::string flipped = good;
  flipped.back() = char(flipped.back() ^ 1);
  for (const std::string &bad : {flipped, good.substr(0, good.size() / 2), good.substr(0, 3),
                                 std::string("nonsense"), std::string(good.size(), '\0'), std::string()}) {
    write_text(path, bad);
    CHECK_FALSE(run());
    CHECK(run()); // it was replaced by a good one
  }

  write_text(path + ".loading", "1"); // what a crash in the driver leaves
  CHECK_FALSE(run());
  CHECK_FALSE(std::filesystem::exists(path + ".loading"));
  CHECK(run());
  CHECK(validation_error_count() == before);
}

TEST_CASE("pipeline cache: a folder that cannot be written is no error") {
  const test::TemporaryFolder folder;
  const std::string file = (folder.path / "file").string();
  write_text(file, "x"); // not a folder (a mode would not stop root)
  const auto device = test::open({.cache_folder = file});
  test::layer_norm(*device);
  device->pipeline_cache().save();
  CHECK(read_text(file) == "x");
}

TEST_CASE("pipeline cache: where it lies") {
  const test::ScopedEnv cache("FOVEA_CACHE_DIR", "/one"), xdg("XDG_CACHE_HOME", "/two"),
      home("HOME", "/three");
  CHECK(cache_folder() == "/one");
  const test::ScopedEnv no_cache("FOVEA_CACHE_DIR", nullptr);
  CHECK(cache_folder() == "/two/fovea");
  const test::ScopedEnv no_xdg("XDG_CACHE_HOME", nullptr);
  CHECK(cache_folder() == "/three/.cache/fovea");
  const test::ScopedEnv no_home("HOME", nullptr);
  CHECK(cache_folder() == "");
}

} // namespace fovea::vk
