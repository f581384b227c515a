// Devices within a profile's limits, and without what is known to be bad: opened, listed, and their files.
#include "base/device_profile.h"
#include "support/temp_folder.h"
#include "tests/vk/support.h"
#include "vk/tuning_file.h"

#include <doctest/doctest.h>

using namespace fovea;
using namespace fovea::vk;
using namespace fovea::vk::test;

namespace {

std::shared_ptr<Device> pretending(const std::string &profile, const std::string &folder = "") {
  DeviceOptions options;
  options.pretend = profile;
  options.cache_folder = folder;
  return open(options);
}

} // namespace

TEST_CASE("pretend: the opened device has the clamped limits, and enables no feature beyond them") {
  const ScopedEnv unset("FOVEA_PRETEND", nullptr);
  const auto own = pretending(""), phone = pretending("android_2021");
  CHECK_FALSE(own->caps().profile);
  CHECK(phone->caps().profile->name == "android_2021");
  CHECK(phone->name() == own->name() + " as android_2021");
  CHECK(phone->caps().max_storage_buffers == 4);
  CHECK(phone->caps().subgroup_size == 0);
  CHECK_FALSE(phone->caps().host_pointer_import);
  CHECK(phone->context()->physical.info.caps.name == own->name());
  CHECK(says(error_of([&] {
               (void)phone->kernels().get({KernelId::layer_norm_subgroup, {8}, 0});
             }),
             "needs subgroup"));
  CHECK_NOTHROW((void)phone->kernels().get({KernelId::layer_norm, {64}, 0}));
  CHECK(says(error_of([&] {
               (void)phone->kernels().get({KernelId::layer_norm, {256}, 0});
             }),
             "the limit is 128"));
  // Not what an opened device has, but what it is told to have: a feature stays off.
  DeviceOptions options;
  options.pretend = "android_2021";
  options.adjust_caps = [](DeviceCaps &caps) { caps.subgroup_arithmetic = caps.shader_f16 = true; };
  CHECK_FALSE(open(options)->caps().subgroup_arithmetic);
}

TEST_CASE("pretend: devices are listed as they would be opened") {
  const ScopedEnv set("FOVEA_PRETEND", "v3d");
  for (const DeviceInfo &info : list_devices()) {
    REQUIRE(info.caps.profile);
    CHECK(info.caps.profile->name == "v3d");
    CHECK(info.caps.max_shared_memory_bytes <= 16384);
  }
  for (const DeviceInfo &info : list_devices("")) CHECK_FALSE(info.caps.profile);
  CHECK(open()->caps().profile->name == "v3d");
  const ScopedEnv wrong("FOVEA_PRETEND", "v4d");
  CHECK(says(error_of([] { (void)open(); }), "FOVEA_PRETEND: no device to pretend is called 'v4d'"));
  CHECK(open({.pretend = "nvidia"})->caps().profile->name == "nvidia");
}

TEST_CASE("pretend: a device that is less than kernels need is listed as unusable, and not opened") {
  const fovea::test::TempFolder folder;
  fovea::test::write_file(folder / "weak.txt", "max_push_constant_bytes = 64\n");
  for (const DeviceInfo &info : list_devices(folder / "weak.txt")) {
    CHECK_FALSE(info.usable);
    CHECK(info.rejected.find("maxPushConstantsSize is 64") != std::string::npos);
  }
  const Error error = error_of([&] { (void)pretending(folder / "weak.txt"); });
  CHECK(error.code() == ErrorCode::NoDevice);
  CHECK(says(error, "maxPushConstantsSize is 64"));
}

TEST_CASE("pretend: compiled pipelines are shared with the device itself, tables of measurements are not") {
  const TemporaryFolder folder;
  std::string own_path, own_table;
  {
    const auto own = pretending("", folder.path);
    own_path = own->pipeline_cache().path();
    own_table = tuning_path(folder.path, own->caps());
  }
  const auto phone = pretending("android_2022", folder.path), board = pretending("v3d", folder.path);
  CHECK(phone->pipeline_cache().path() == own_path);
  CHECK(tuning_path(folder.path, phone->caps()) != own_table);
  CHECK(tuning_path(folder.path, phone->caps()) != tuning_path(folder.path, board->caps()));
  DeviceCaps other = phone->caps();
  auto changed = *other.profile; // a file of the same name with another limit
  ++changed.values[0].numbers[0];
  other.profile = std::make_shared<DeviceProfile>(changed);
  CHECK(tuning_path(folder.path, other) != tuning_path(folder.path, phone->caps()));
}

TEST_CASE("quirks: off before anything looks at the device") {
  const uint32_t driver = open()->caps().driver_id;
  const fovea::test::TempFolder folder;
  fovea::test::write_file(folder / "q.txt",
                          concat("quirk = test\ndriver = ", driver,
                                 "\noff = shader_f16 subgroup_shuffle layer_norm\nbecause = of a test\n"));
  const std::string path = folder / "q.txt";
  const ScopedEnv set("FOVEA_QUIRKS", path.c_str());
  DeviceOptions options;
  options.features.f16 = true;
  options.adjust_caps = [](DeviceCaps &caps) { caps.shader_f16 = caps.subgroup_shuffle = true; };
  const auto device = open(options);
  CHECK_FALSE(device->caps().shader_f16);
  CHECK_FALSE(device->caps().subgroup_shuffle);
  CHECK(device->caps().disabled_kernels == std::set<uint32_t>{uint32_t(KernelId::layer_norm)});
  CHECK(device->caps().quirks == "test: without shader_f16 subgroup_shuffle layer_norm: of a test");
  for (const DeviceInfo &info : list_devices())
    CHECK((info.caps.driver_id == driver) == !info.caps.quirks.empty());
}
