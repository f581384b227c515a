// What a model's weights take of memory: where the driver imports the mapping, the file's own pages and
// nothing beside them.
#include "models/golden.h"
#include "support/temp_folder.h"

#include <doctest/doctest.h>
#include <fstream>

using namespace fovea;
using namespace fovea::test;

namespace {

constexpr uint32_t kWidth = 1024, kLayers = 16; // 64 MiB in f32

/// A file of kLayers matrices; one pass reads all of them.
std::string write_matrices() {
  std::string graph = concat("graph g\n  in x0 f32 [1, ", kWidth, "]\n");
  HostTensors weights;
  for (uint32_t i = 0; i < kLayers; ++i) {
    const std::string name = concat("w", i), out = i + 1 < kLayers ? concat("x", i + 1) : "out y";
    weights[name] = random_tensor({{kWidth, kWidth}, Encoding::F32}, i + 1, 0.03f);
    graph += concat("  ", out, " = linear(x", i, ", ", name, ")\n");
  }
  return write_model({graph}, weights);
}

/// A sum over the mappings of /proc/self/smaps, of one file or of all; nothing where there is no such file.
std::optional<uint64_t> mapped_bytes(const std::string &field, const std::string &path = "") {
  std::ifstream smaps("/proc/self/smaps");
  if (!smaps) return {};
  uint64_t bytes = 0;
  bool counts = false;
  for (std::string line; std::getline(smaps, line);) {
    const std::string first = line.substr(0, line.find(' '));
    if (first.empty() || first.back() != ':') // "7f52-7f53 r--p 0 fe:00 12  /path": a mapping begins
      counts = path.empty() || line.ends_with(path);
    else if (counts && first == concat(field, ":"))
      bytes += std::stoull(line.substr(first.size())) * 1024;
  }
  return bytes;
}

/// What the process has in memory beside the file's pages; drivers may use memory that is not anonymous.
std::optional<int64_t> beside(const std::string &path) {
  const auto all = mapped_bytes("Rss"), file = mapped_bytes("Rss", path);
  return all && file ? std::optional(int64_t(*all) - int64_t(*file)) : std::nullopt;
}

/// Loads and runs the file; what it then holds of it, and what else the process has grown by.
struct Held {
  uint64_t file_bytes = 0, dirty_bytes = 0;
  int64_t grown_bytes = 0;
  bool imported = false;
};

std::optional<Held> hold(const std::string &path, WeightPlacement placement) {
  const auto model = Model::open(path);
  const auto before = beside(path);
  const auto weights = DeviceWeights::load(test_device(), model, placement);
  Session session(test_device(), model, weights);
  Program &program = session.program("g");
  const HostTensor x = random_tensor({{1, kWidth}, Encoding::F32}, 99);
  program.set_input("x0", std::span<const float>(x.f));
  session.run(program);
  CHECK(std::isfinite(program.output_as<float>("y")[0]));
  const auto after = beside(path);
  const auto file = mapped_bytes("Rss", path), dirty = mapped_bytes("Private_Dirty", path);
  if (!before || !after || !file || !dirty) return {};
  CHECK((weights->device_bytes() == 0) == weights->imported());
  return Held{*file, *dirty, *after - *before, weights->imported()};
}

} // namespace

TEST_CASE("memory: imported weights are the file's pages, not a copy") {
  const std::string path = write_matrices();
  const auto size = Model::open(path)->file().bytes().size();
  REQUIRE(size > 64 << 20);
  hold(path, WeightPlacement::Import); // kernels are compiled, threads started
  const auto held = hold(path, WeightPlacement::Import);
  if (!held) return;
  if (!held->imported) {
    MESSAGE("skipped: this driver does not import memory of the host");
    return;
  }
  CHECK(held->file_bytes > size - size / 16); // the checksum has read all of it
  CHECK(held->dirty_bytes == 0);
  CHECK(held->grown_bytes < int64_t(size / 16));
  // What a copy looks like.
  const auto copied = hold(path, WeightPlacement::Copy);
  CHECK_FALSE(copied->imported);
  if (test_device()->caps().unified_memory) CHECK(copied->grown_bytes > int64_t(size - size / 16));
}
