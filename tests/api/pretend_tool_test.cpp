// The tool within another device's limits, and with what is known to be bad.
#include "api/tool.h"

#include <nlohmann/json.hpp>

using namespace fovea::test;

namespace {

const std::string kHello = "transcribe " + quoted(FOVEA_SOURCE_DIR "/samples/audio/hello.flac");

nlohmann::json device_of(const std::string &arguments, const std::string &environment = "") {
  const Finished f = run_tool("devices --json " + arguments, environment);
  REQUIRE_MESSAGE(f.exit_code == 0, f.err);
  for (const nlohmann::json &device : nlohmann::json::parse(f.out))
    if (device["default"]) return device;
  FAIL("no default device");
  return {};
}

} // namespace

TEST_CASE("tool: --pretend and FOVEA_PRETEND clamp the device, and devices shows to what") {
  const nlohmann::json own = device_of("");
  CHECK(own["profile"] == "");
  for (const auto &[arguments, environment] :
       {std::pair<std::string, std::string>{"--pretend android_2022", ""},
        {"", "FOVEA_PRETEND=android_2022 "},
        {"--pretend " + quoted(FOVEA_SOURCE_DIR "/runtime/base/profiles/android_2022.txt"), ""},
        {"--pretend android_2022", "FOVEA_PRETEND=nvidia "}}) {
    const nlohmann::json device = device_of(arguments, environment);
    CHECK(device["max_storage_buffers"] == 4);
    CHECK(device["max_workgroup_invocations"] == 128);
    CHECK(device["f16_arithmetic"] == false);
    CHECK(device["subgroup_size"] == own["subgroup_size"]);
    CHECK(device["profile"].get<std::string>().find("android_2022") != std::string::npos);
    CHECK(device["name"].get<std::string>().find(own["name"].get<std::string>() + " as ") == 0);
  }
  CHECK(run_tool("devices --pretend mali").out.find(" as mali\n") != std::string::npos);
  const std::string profiles = run_tool("devices --profiles").out;
  for (const char *name : {"vulkan_1_1 ", "android_16 ", "v3d ", "moltenvk "})
    CHECK(("\n" + profiles).find(std::string("\n") + name) != std::string::npos);
}

TEST_CASE("tool: the bundled model hears the same on a phone's limits, without subgroups too") {
  const Finished own = run_tool(kHello);
  REQUIRE(own.exit_code == 0);
  CHECK(!own.out.empty());
  const Finished phone = run_tool(kHello + " --pretend android_2021");
  CHECK(phone.exit_code == 0);
  CHECK(phone.out == own.out);
}

TEST_CASE("tool: a profile that is none is one line that says so") {
  check_tool_error("devices --pretend malli", 1,
                   "no device to pretend is called 'malli'; there are android_15, ");
  check_tool_error(kHello + " --pretend ./nowhere.txt", 1, "./nowhere.txt");
  const TempFolder folder;
  write_file(folder / "p.txt", "max_storage_buffers = 3\n");
  check_tool_error(kHello + " --pretend " + quoted(folder / "p.txt"), 1, "storage buffers per stage is 3");
  write_file(folder / "p.txt", "\nmax_storage_buffer = 3\n");
  check_tool_error(kHello + " --pretend " + quoted(folder / "p.txt"), 1,
                   "line 2: no limit or feature is called 'max_storage_buffer'");
}

TEST_CASE("tool: what is known to be bad is off, and devices says why; plans show it") {
  const TempFolder folder;
  const uint32_t vendor = device_of("")["vendor_id"];
  write_file(folder / "q.txt",
             "quirk = test_quirk\nvendor = " + std::to_string(vendor) +
                 "\noff = subgroups host_pointer_import linear_texel_*\nbecause = of this test\n");
  const std::string mine = "FOVEA_QUIRKS=" + quoted(folder / "q.txt") + " ";
  const nlohmann::json device = device_of("", mine);
  CHECK(device["subgroup_size"] == 0);
  CHECK(device["host_pointer_import"] == false);
  CHECK(device["quirks"] == nlohmann::json::array({"test_quirk: without subgroups host_pointer_import "
                                                   "linear_texel_*: of this test"}));
  CHECK(run_tool("devices", mine).out.find("known to be bad: test_quirk: ") != std::string::npos);
  CHECK(device_of("", "FOVEA_QUIRKS=none ")["quirks"].empty());
  const std::string plan = "inspect speech-en --plan window --size N=20000 --pretend nvidia";
  CHECK(run_tool(plan).out.find("subgroup") != std::string::npos);
  const Finished without = run_tool(plan, mine);
  CHECK(without.exit_code == 0);
  CHECK(without.out.find("linear_base") != std::string::npos);
  CHECK(without.out.find("subgroup") == std::string::npos);
  write_file(folder / "q.txt", "quirk = x\nspeed = 3\n");
  const Finished wrong = run_tool("devices", mine);
  CHECK(wrong.exit_code == 1);
  CHECK(wrong.err.find("FOVEA_QUIRKS: ") != std::string::npos);
  CHECK(wrong.err.find("line 2: no part of a quirk is called 'speed'") != std::string::npos);
}
