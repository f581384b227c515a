// A small model under the limits of every profile, on the device at hand: the same tokens as without. What a
// dispatch uses beyond a limit is an error of its own (vk/kernel_check.cpp). Real models: tests/pretend.
#include "base/device_profile.h"
#include "support.h"

#include <doctest/doctest.h>

using namespace fovea;
using namespace fovea::test;

namespace {

/// One device at a time: each has its own kernels.
std::shared_ptr<vk::Device> pretending(const std::string &profile) {
  vk::DeviceOptions options;
  options.tuning = false;
  options.pretend = profile;
  return vk::Device::open(options);
}

std::vector<int32_t> heard(const std::shared_ptr<vk::Device> &device,
                           const std::shared_ptr<const Model> &model, const std::vector<float> &samples,
                           const TranscribeOptions &options) {
  Transcriber t(device, model, DeviceWeights::load(device, model), {});
  return all_tokens(t.transcribe(samples, options));
}

} // namespace

TEST_CASE("pretend: a tiny speech model hears the same under every profile") {
  const Tiny tiny;
  const std::vector<float> samples = sound(0.5);
  std::vector<int32_t> want;
  for (const BuiltinProfile &profile : builtin_profiles()) {
    CAPTURE(profile.name);
    if (want.empty()) want = heard(pretending(""), tiny.model, samples, plain());
    REQUIRE(!want.empty());
    const auto device = pretending(profile.name);
    CHECK(device->caps().profile->name == profile.name);
    CHECK(heard(device, tiny.model, samples, plain()) == want);
  }
}
