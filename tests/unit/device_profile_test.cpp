// Profiles of other devices: their text, and what is taken from a device that pretends.
#include "base/device_profile.h"
#include "base/error.h"
#include "support/temp_folder.h"
#include "vk/caps_query.h"

#include <doctest/doctest.h>
#include <fstream>
#include <random>
#include <sstream>

using namespace fovea;
using namespace fovea::test;

namespace {

/// Has more than any profile allows.
DeviceCaps strong(uint32_t lanes = 8) {
  DeviceCaps caps;
  caps.name = "strong";
  caps.max_storage_buffer_range = caps.max_allocation_bytes = caps.device_memory_bytes = 1ull << 40;
  caps.storage_offset_alignment = caps.uniform_offset_alignment = caps.texel_offset_alignment = 1;
  caps.non_coherent_atom_size = 1;
  caps.max_storage_buffers = caps.max_push_constant_bytes = caps.max_workgroup_invocations = UINT32_MAX;
  caps.max_shared_memory_bytes = caps.max_texel_buffer_elements = UINT32_MAX;
  caps.max_workgroup_size = caps.max_workgroup_count = {UINT32_MAX, UINT32_MAX, UINT32_MAX};
  caps.timestamp_period_ns = 1;
  caps.subgroup_size = caps.min_subgroup_size = caps.max_subgroup_size = lanes;
  caps.subgroup_arithmetic = caps.subgroup_shuffle = caps.subgroup_ballot = true;
  caps.subgroup_size_control = caps.shader_f16 = caps.shader_int8 = caps.storage_16bit = true;
  caps.integer_dot_product = caps.unified_memory = caps.host_pointer_import = true;
  return caps;
}

DeviceCaps clamped(DeviceCaps caps, std::string_view text) {
  clamp(caps, parse_profile(text, "test"));
  return caps;
}

void check_not_more(const DeviceCaps &less, const DeviceCaps &more) {
  CHECK(less.max_storage_buffer_range <= more.max_storage_buffer_range);
  CHECK(less.storage_offset_alignment >= more.storage_offset_alignment);
  CHECK(less.uniform_offset_alignment >= more.uniform_offset_alignment);
  CHECK(less.texel_offset_alignment >= more.texel_offset_alignment);
  CHECK(less.non_coherent_atom_size >= more.non_coherent_atom_size);
  CHECK(less.max_allocation_bytes <= more.max_allocation_bytes);
  CHECK(less.device_memory_bytes <= more.device_memory_bytes);
  CHECK(less.max_storage_buffers <= more.max_storage_buffers);
  CHECK(less.max_push_constant_bytes <= more.max_push_constant_bytes);
  CHECK(less.max_workgroup_invocations <= more.max_workgroup_invocations);
  for (size_t i = 0; i < 3; ++i) {
    CHECK(less.max_workgroup_size[i] <= more.max_workgroup_size[i]);
    CHECK(less.max_workgroup_count[i] <= more.max_workgroup_count[i]);
  }
  CHECK(less.max_shared_memory_bytes <= more.max_shared_memory_bytes);
  CHECK(less.max_texel_buffer_elements <= more.max_texel_buffer_elements);
  CHECK((less.subgroup_size == 0 || less.subgroup_size == more.subgroup_size));
  CHECK((!less.fixed_subgroups() || more.fixed_subgroups()));
  CHECK((less.timestamp_period_ns == 0 || more.timestamp_period_ns > 0));
  for (bool DeviceCaps::*feature :
       {&DeviceCaps::subgroup_arithmetic, &DeviceCaps::subgroup_shuffle, &DeviceCaps::subgroup_ballot,
        &DeviceCaps::subgroup_size_control, &DeviceCaps::shader_f16, &DeviceCaps::shader_int8,
        &DeviceCaps::storage_16bit, &DeviceCaps::integer_dot_product, &DeviceCaps::unified_memory,
        &DeviceCaps::host_pointer_import})
    CHECK((!(less.*feature) || more.*feature));
}

} // namespace

TEST_CASE("profiles: each built-in one is the file it was made of, with a title and a source") {
  CHECK(builtin_profiles().size() == 13);
  for (const BuiltinProfile &builtin : builtin_profiles()) {
    CAPTURE(builtin.name);
    CHECK(std::string_view(builtin.title).size() > 10);
    const std::string path = std::string(FOVEA_SOURCE_DIR "/runtime/base/profiles/") + builtin.name + ".txt";
    std::stringstream text;
    text << std::ifstream(path).rdbuf();
    CHECK(text.str().find("# Source: ") != std::string::npos);
    const DeviceProfile from_file = load_profile(path), by_name = load_profile(builtin.name);
    CHECK(from_file.values == by_name.values);
    CHECK(by_name.values.size() > 5);
    CHECK(by_name.name == builtin.name);
  }
}

TEST_CASE("profiles: what is clamped to one is within it, never more than before, and can be used") {
  for (const BuiltinProfile &builtin : builtin_profiles())
    for (const DeviceCaps &before : {strong(), strong(4), strong(64), strong(1), DeviceCaps()}) {
      CAPTURE(builtin.name);
      DeviceCaps caps = before;
      clamp(caps, load_profile(builtin.name));
      check_not_more(caps, before);
      CHECK(vk::rejection(caps) == "");
      REQUIRE(caps.profile);
      CHECK(caps.profile->name == builtin.name);
      CHECK(caps.name == before.name + " as " + builtin.name);
      DeviceCaps again = caps;
      clamp(again, load_profile(builtin.name));
      check_not_more(caps, again); // nothing is left to take
      check_not_more(again, caps);
    }
}

TEST_CASE("profiles: the least that Vulkan 1.1 requires is the floor that kernels are made for") {
  const DeviceCaps floor;
  DeviceCaps caps = strong();
  clamp(caps, load_profile("vulkan_1_1"));
  caps.device_memory_bytes = 0;
  check_not_more(caps, [&] {
    DeviceCaps same = floor;
    same.subgroup_size = same.min_subgroup_size = same.max_subgroup_size = 8;
    return same;
  }());
  CHECK(caps.max_storage_buffers == floor.max_storage_buffers);
  CHECK(caps.max_storage_buffer_range == floor.max_storage_buffer_range);
  CHECK(caps.max_workgroup_size == floor.max_workgroup_size);
}

TEST_CASE("profiles: every kind of value") {
  const DeviceCaps caps = clamped(strong(), "# A title\n\n max_storage_buffer_range = 300M # more\r\n"
                                            "storage_offset_alignment=64\n"
                                            "max_workgroup_count = 5 6\t7\n"
                                            "max_texel_buffer_elements = 1\n"
                                            "device_memory_bytes = 2G\n"
                                            "max_storage_buffers = 9\n"
                                            "timestamps = no\nshader_f16 = no\nshader_int8 = yes");
  CHECK(caps.max_storage_buffer_range == 300ull << 20);
  CHECK(caps.storage_offset_alignment == 64);
  CHECK(caps.max_workgroup_count == std::array<uint32_t, 3>{5, 6, 7});
  CHECK(caps.max_texel_buffer_elements == 1);
  CHECK(caps.device_memory_bytes == 2ull << 30);
  CHECK(caps.max_storage_buffers == 9);
  CHECK(caps.timestamp_period_ns == 0);
  CHECK_FALSE(caps.shader_f16);
  CHECK(caps.shader_int8);
  DeviceCaps weak = strong();
  weak.shader_int8 = false;
  CHECK_FALSE(clamped(weak, "shader_int8 = yes").shader_int8);
  CHECK(clamped(DeviceCaps(), "max_storage_buffers = 100").max_storage_buffers == 4);
  CHECK(clamped(DeviceCaps(), "storage_offset_alignment = 4").storage_offset_alignment == 256);
}

TEST_CASE("profiles: subgroups keep the device's width, or cannot be counted on") {
  const DeviceCaps fixed =
      clamped(strong(), "subgroup_size = 32\nmin_subgroup_size = 32\nmax_subgroup_size = 32");
  CHECK(fixed.subgroup_size == 8);
  CHECK(fixed.fixed_subgroups());
  const DeviceCaps varying =
      clamped(strong(), "subgroup_size = 32\nmin_subgroup_size = 8\nmax_subgroup_size = 32");
  CHECK(varying.subgroup_size == 8);
  CHECK(varying.subgroup_shuffle);
  CHECK_FALSE(varying.fixed_subgroups());
  const DeviceCaps none = clamped(strong(), "subgroup_size = 0\nsubgroup_shuffle = yes");
  CHECK(none.subgroup_size == 0);
  CHECK_FALSE(none.subgroup_shuffle);
  CHECK_FALSE(none.subgroup_size_control);
  CHECK(clamped(strong(1), "min_subgroup_size = 8\nmax_subgroup_size = 32").subgroup_size == 0);
}

TEST_CASE("profiles: a wrong line is named") {
  const auto wrong = [](const std::string &text, const std::string &message) {
    CHECK_THROWS_WITH_AS((void)parse_profile(text, "x.txt"),
                         doctest::Contains(("x.txt, line " + message).c_str()), Error);
  };
  wrong("\nmax_speed = 9", "2: no limit or feature is called 'max_speed'");
  wrong("max_storage_buffers", "1: expected NAME = VALUE, got 'max_storage_buffers'");
  wrong("name = x", "1: no limit or feature is called 'name'");
  wrong("max_storage_buffers = 4\nmax_storage_buffers = 4", "2: max_storage_buffers is there twice");
  for (const char *value :
       {"", "-1", "0", "4 4", "4x", "4294967296", "5G", "99999999999999999999", "yes", "K", "0x4"})
    wrong(std::string("max_storage_buffers = ") + value,
          std::string("1: max_storage_buffers is '") + value + "', expected a number from 1");
  for (const char *value : {"0", "3", "no", "257"})
    wrong(std::string("storage_offset_alignment = ") + value,
          "1: storage_offset_alignment is '" + std::string(value) + "', expected a power of two");
  for (const char *value : {"1 2", "1 2 3 4", "1 2 0", "a b c", ""})
    wrong(std::string("max_workgroup_size = ") + value,
          "1: max_workgroup_size is '" + std::string(value) + "', expected three numbers");
  for (const char *value : {"", "1", "YES", "yes no"})
    wrong(std::string("shader_f16 = ") + value,
          "1: shader_f16 is '" + std::string(value) + "', expected yes or no");
  CHECK_THROWS_AS((void)parse_profile(std::string(1 << 19, '#'), "x.txt"), Error);
}

TEST_CASE("profiles: names and files") {
  CHECK_THROWS_WITH_AS((void)load_profile("malli"), doctest::Contains("there are android_15, "), Error);
  CHECK_THROWS_WITH_AS((void)load_profile("./nowhere.txt"), doctest::Contains("./nowhere.txt"), Error);
  CHECK_THROWS_AS((void)load_profile("/"), Error);
  CHECK_THROWS_AS((void)load_profile(std::string(100000, 'x')), Error);
  const TempFolder folder;
  std::ofstream(folder / "mine.txt") << "max_storage_buffers = 5\n";
  const DeviceProfile mine = load_profile(folder / "mine.txt");
  CHECK(mine.values.size() == 1);
  std::ofstream(folder / "other.txt") << "max_storage_buffers = 6\n";
  DeviceCaps a, b;
  clamp(a, mine);
  clamp(b, load_profile(folder / "other.txt"));
  CHECK(a.profile->hash() != b.profile->hash());
  CHECK(a.profile->hash() == load_profile(folder / "mine.txt").hash());
}

TEST_CASE("profiles: bytes of any kind are a profile or an error") {
  std::mt19937 random(1);
  const std::string alphabet("abc_=0 19KMG\n\r\t#\x00\xff", 18), words = builtin_profiles()[0].text;
  size_t n_good = 0;
  for (int i = 0; i < 20000; ++i) {
    std::string text = i % 2 ? words.substr(random() % words.size(), random() % 200) : "";
    for (size_t n = random() % 20; n-- > 0;)
      text.insert(text.empty() ? 0 : random() % text.size(), 1, alphabet[random() % alphabet.size()]);
    try {
      DeviceCaps caps = strong();
      clamp(caps, parse_profile(text, "random"));
      check_not_more(caps, strong());
      ++n_good;
    } catch (const Error &e) {
      REQUIRE(e.code() == ErrorCode::InvalidArgument);
    }
  }
  CHECK(n_good > 100);
}
