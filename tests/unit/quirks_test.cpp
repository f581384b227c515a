// Drivers that are known to do something wrong: the list's text, and what it takes from a device.
#include "base/error.h"
#include "kernels/catalogue.h"
#include "kernels/quirks.h"
#include "kernels/select.h"
#include "support/temp_folder.h"

#include <cstdlib>
#include <doctest/doctest.h>
#include <fstream>
#include <tuple>

using namespace fovea;
using namespace fovea::test;

namespace {

DeviceCaps device(uint32_t vendor, uint32_t driver, uint32_t version) {
  DeviceCaps caps;
  caps.vendor_id = vendor;
  caps.driver_id = driver;
  caps.driver_version = version;
  caps.subgroup_size = caps.min_subgroup_size = caps.max_subgroup_size = 32;
  caps.subgroup_arithmetic = caps.subgroup_shuffle = caps.subgroup_ballot = true;
  caps.host_pointer_import = true;
  apply_quirks(caps, builtin_quirks(), "built-in");
  return caps;
}

void apply_to_any(std::string_view text) {
  DeviceCaps caps;
  apply_quirks(caps, text, "q.txt");
}

struct ScopedQuirks {
  explicit ScopedQuirks(const std::string &value) { ::setenv("FOVEA_QUIRKS", value.c_str(), 1); }
  ~ScopedQuirks() { ::unsetenv("FOVEA_QUIRKS"); }
};

} // namespace

TEST_CASE("quirks: the built-in ones say where they come from, and hit what they are about alone") {
  size_t n_cases = 0, n_sources = 0;
  for (const std::string_view text = builtin_quirks(); const char *what : {"quirk=", "source=https://"})
    for (size_t at = text.find(what); at != std::string_view::npos; at = text.find(what, at + 1))
      ++(*what == 'q' ? n_cases : n_sources);
  CHECK(n_cases > 0);
  CHECK(n_cases == n_sources);
  const DeviceCaps amd = device(0x1002, 14, 10401), old = device(0x106b, 14, 10400),
                   apple = device(0x106b, 14, 10401), linux_amd = device(0x1002, 3, 1),
                   powervr = device(0x1010, 7, 1), mesa = device(0x1010, 25, 1);
  CHECK_FALSE(amd.subgroup_shuffle);
  CHECK_FALSE(amd.subgroup_arithmetic);
  CHECK(amd.host_pointer_import);
  CHECK(amd.quirks.find("moltenvk_amd_subgroups: without subgroup_arithmetic subgroup_shuffle") == 0);
  CHECK_FALSE(old.host_pointer_import);
  CHECK(old.subgroup_shuffle);
  for (const DeviceCaps *fine : {&apple, &linux_amd, &mesa}) {
    CHECK(fine->quirks.empty());
    CHECK(fine->disabled_kernels.empty());
    CHECK(fine->subgroup_shuffle);
    CHECK(fine->host_pointer_import);
  }
  CHECK(powervr.disabled_kernels == std::set<uint32_t>{uint32_t(KernelId::linear_vector_subgroup_f32),
                                                       uint32_t(KernelId::linear_vector_subgroup_f16),
                                                       uint32_t(KernelId::linear_vector_subgroup_q8),
                                                       uint32_t(KernelId::linear_vector_subgroup_q4)});
  LinearShape s;
  s.n_rows = 1;
  s.n_cols = s.k = 384;
  s.aligned = true;
  CHECK(std::string(to_string(select_linear(mesa, s).kernel)) == "linear_vector_subgroup_f32");
  CHECK(std::string(to_string(select_linear(powervr, s).kernel)) == "linear_vector_base_f32");
}

TEST_CASE("quirks: FOVEA_QUIRKS replaces the list, adds to it or empties it") {
  const TempFolder folder;
  std::ofstream(folder / "mine.txt") << "# mine\nquirk = mine\nvendor = 1..2\ndevice = 5..7\nversion = 3..\n"
                                        "off = subgroups softmax*\nbecause = of a test\n";
  DeviceCaps caps; // two of whose cases are among the built-in ones
  caps.vendor_id = 2;
  caps.driver_id = 14;
  caps.driver_version = 3;
  caps.device_id = 7;
  caps.host_pointer_import = true;
  caps.subgroup_size = 8;
  const auto applied = [&] {
    DeviceCaps out = caps;
    apply_quirks(out);
    return out;
  };
  const std::string note = "mine: without subgroups softmax*: of a test";
  ::unsetenv("FOVEA_QUIRKS");
  CHECK(applied().quirks.find("moltenvk_host_pointers: ") == 0);
  CHECK(applied().subgroup_size == 8);
  {
    const ScopedQuirks none("none");
    CHECK(applied().quirks.empty());
    CHECK(applied().host_pointer_import);
  }
  {
    const ScopedQuirks added(concat("+", folder / "mine.txt"));
    CHECK_FALSE(applied().host_pointer_import);
    CHECK(applied().quirks.find("\n" + note) != std::string::npos);
  }
  {
    const ScopedQuirks replaced(folder / "mine.txt");
    CHECK(applied().host_pointer_import);
    CHECK(applied().subgroup_size == 0);
    CHECK(applied().disabled_kernels ==
          std::set<uint32_t>{uint32_t(KernelId::softmax), uint32_t(KernelId::softmax_subgroup)});
    CHECK(applied().quirks == note);
    for (const auto &[vendor, id, version] :
         {std::tuple{3u, 7u, 3u}, {2u, 8u, 3u}, {2u, 4u, 3u}, {2u, 7u, 2u}}) {
      DeviceCaps other = caps;
      other.vendor_id = vendor;
      other.device_id = id;
      other.driver_version = version;
      apply_quirks(other);
      CHECK(other.quirks.empty());
    }
  }
  const ScopedQuirks missing(folder / "nowhere.txt");
  CHECK_THROWS_WITH_AS((void)applied(), doctest::Contains("FOVEA_QUIRKS: "), Error);
}

TEST_CASE("quirks: a wrong line is named") {
  const auto wrong = [](const std::string &text, const char *message) {
    CHECK_THROWS_WITH_AS(apply_to_any(text), doctest::Contains(message), Error);
  };
  const std::string head = "quirk = a\nvendor = 1\n";
  wrong("vendor = 1", "q.txt, line 1: expected 'quirk = NAME' before 'vendor'");
  wrong("quirk =", "q.txt, line 1: a quirk needs a name");
  wrong("hello", "q.txt, line 1: expected NAME = VALUE, got 'hello'");
  wrong(head + "speed = 1", "q.txt, line 3: no part of a quirk is called 'speed'");
  wrong(head + "off = telepathy", "q.txt, line 3: 'telepathy' is no feature and no kernel");
  wrong(head + "off = max_storage_buffers", "is no feature and no kernel");
  for (const char *range : {"", "x", "..", "5..3", "1...2", "0x", "4294967296", "-1", "1..2..3"})
    wrong(head + "version = " + range, "expected a number or a range");
  wrong(head + "because = x", "switches nothing off");
  wrong(head + "off = shader_f16", "has no 'because'");
  wrong("quirk = a\noff = shader_f16\nbecause = x\nquirk = b", "has no vendor and no driver");
  CHECK_NOTHROW(apply_to_any(""));
}
