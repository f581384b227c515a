// Random damage to a small flat file: an Error or a file whose every value can be read; never a crash, a hang
// or a huge allocation. Run it in the asan preset too.
#include "format/gguf_writer.h"
#include "format/model_file.h"
#include "tests/support/temp_folder.h"

#include <doctest/doctest.h>
#include <random>
#include <sys/resource.h>

using namespace fovea;
using namespace fovea::test;

namespace {

std::string sample(const TempFolder &folder) {
  {
    GgufWriter out(folder / "m");
    out.add("tokenizer.tokens", std::vector<std::string>{"a", "bc", "", "def"});
    out.add("ids", std::vector<int32_t>{1, 2, 3});
    out.add("means", std::vector<float>{0.5f, 0.25f});
    out.add("flag", false);
    out.add("name", std::string("fuzz"));
    out.add_graph("g", "graph g\n");
    out.add_tensor("a", {{2, 64}, Encoding::Q8});
    out.add_tensor("b", {{2, 64}, Encoding::Q4});
    out.add_tensor("c", {{3, 5}, Encoding::F16});
    for (const size_t n : {128, 8, 64, 8, 30}) out.write(std::vector<std::byte>(n, std::byte{0x37}));
    out.commit();
  }
  return read_file(folder / "m");
}

/// Reads everything a user of the file could; returns whether the file was accepted.
bool read_all(const std::string &path) {
  try {
    const ModelFile m(path);
    for (const MetaEntry &e : m.metadata()) {
      (void)to_text(e.value);
      (void)e.value.as<uint32_t>();
      (void)e.value.as<float>();
      (void)e.value.as<std::vector<std::string_view>>();
      (void)e.value.as<std::vector<int32_t>>();
      (void)e.value.as<std::vector<float>>();
    }
    for (const auto graph : m.graph_names()) (void)m.graph_text(graph);
    for (const TensorInfo &t : m.tensors()) {
      std::vector<float> row(t.type.shape.row());
      for (uint64_t i = 0; i < t.type.shape.rows(); ++i) m.decode_rows(t, i, 1, row);
    }
    return true;
  } catch (const Error &error) {
    if (error.code() != ErrorCode::InvalidFile && error.code() != ErrorCode::Unsupported) FAIL(error.what());
    return false;
  }
}

[[maybe_unused]] long peak_kib() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  return usage.ru_maxrss;
}

} // namespace

TEST_CASE("gguf: 10,000 random mutations") {
  const unsigned seed = 20240607;
  MESSAGE("seed " << seed);
  std::mt19937 random(seed);
  const auto below = [&](size_t n) { return size_t(random() % n); };
  const TempFolder folder;
  const std::string whole = sample(folder);
  const size_t header = whole.find("graph g") + 300; // most damage where the structure is
  [[maybe_unused]] const long before = peak_kib();
  int n_accepted = 0;
  for (int i = 0; i < 10000; ++i) {
    std::string damaged = whole;
    for (size_t n = 1 + below(4); n-- > 0;) {
      const size_t at = below(below(4) ? std::min(header, damaged.size()) : damaged.size());
      switch (below(6)) {
      case 0: damaged[at] = char(damaged[at] ^ (1 << below(8))); break;
      case 1: damaged[at] = char(random()); break;
      case 2: { // a number at the edge of something
        static constexpr uint64_t edges[] = {
            0,          1,          0x7F,       0xFF,       0x7FFFFFFF, ~0ull, 0xFFFFFFFF,
            1ull << 63, ~0ull >> 1, 1ull << 61, 1ull << 32, 65536,      65537, (1ull << 62) + 3};
        const uint64_t edge = edges[below(std::size(edges))];
        const size_t size = std::min<size_t>(below(2) ? 8 : 4, damaged.size() - at);
        damaged.replace(at, size, reinterpret_cast<const char *>(&edge), size);
        break;
      }
      case 3: damaged.erase(at, 1 + below(16)); break;
      case 4: damaged.insert(at, damaged.substr(below(damaged.size()), 1 + below(64))); break;
      case 5: damaged.resize(at + 1); break;
      }
      if (damaged.empty()) break;
    }
    write_file(folder / "m", damaged);
    n_accepted += read_all(folder / "m");
  }
  CHECK(n_accepted > 0); // damage in weights and names is legal
  CHECK(n_accepted < 5000);
#if !defined(FOVEA_ADDRESS_SANITIZER) // which keeps freed memory
  CHECK(peak_kib() - before < 64 * 1024);
#endif
}
