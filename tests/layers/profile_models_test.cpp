// Models on devices within every profile: nothing is used beyond it, and what comes out is the same. Fovea
// itself does not know: what it asks the device for is all it has to keep within.
#include "layers/support.h"

#include "base/device_profile.h"
#include "models/golden.h"
#include "support/share.h"
#include "support/temp_folder.h"
#include "tasks/generate.h"
#include "tests/vk/support.h"

#include <algorithm>
#include <fstream>

using namespace fovea;
using namespace fovea::test;

namespace {

DeviceCaps first_caps(const std::string &pretend) {
  const std::vector<vk::DeviceInfo> all = vk::list_devices(pretend);
  REQUIRE(!all.empty());
  return all[0].caps;
}

/// Fields that differ of those that planning looks at.
std::string differences(const DeviceCaps &a, const DeviceCaps &b) {
  std::string out;
#define FOVEA_SAME(field)                                                                                    \
  if (a.field != b.field) out += " " #field
  FOVEA_SAME(max_storage_buffer_range);
  FOVEA_SAME(storage_offset_alignment);
  FOVEA_SAME(uniform_offset_alignment);
  FOVEA_SAME(texel_offset_alignment);
  FOVEA_SAME(non_coherent_atom_size);
  FOVEA_SAME(max_allocation_bytes);
  FOVEA_SAME(device_memory_bytes);
  FOVEA_SAME(max_storage_buffers);
  FOVEA_SAME(max_push_constant_bytes);
  FOVEA_SAME(max_workgroup_invocations);
  FOVEA_SAME(max_workgroup_size);
  FOVEA_SAME(max_workgroup_count);
  FOVEA_SAME(max_shared_memory_bytes);
  FOVEA_SAME(max_texel_buffer_elements);
  FOVEA_SAME(timestamp_period_ns);
  FOVEA_SAME(subgroup_size);
  FOVEA_SAME(min_subgroup_size);
  FOVEA_SAME(max_subgroup_size);
  FOVEA_SAME(subgroup_arithmetic);
  FOVEA_SAME(subgroup_shuffle);
  FOVEA_SAME(subgroup_ballot);
  FOVEA_SAME(subgroup_size_control);
  FOVEA_SAME(shader_f16);
  FOVEA_SAME(shader_int8);
  FOVEA_SAME(storage_16bit);
  FOVEA_SAME(integer_dot_product);
  FOVEA_SAME(unified_memory);
  FOVEA_SAME(host_pointer_import);
  FOVEA_SAME(disabled_kernels);
  FOVEA_SAME(fuse_norms);
  FOVEA_SAME(fast_texels());
  FOVEA_SAME(prefers_serial());
#undef FOVEA_SAME
  return out;
}

/// A golden case of pictures: the best of each row of what comes out.
std::optional<Scenario> picture_scenario() {
  const std::string folder = shared_path("golden/cases/vit");
  if (folder.empty()) return {};
  return Scenario{
      "picture", [folder] {
        RunRequest request;
        const Source golden = open_safetensors(folder + "/golden.safetensors");
        for (const auto &tensor : golden.tensors())
          if (const std::string prefix = "input."; tensor.name.starts_with(prefix))
            request.inputs[tensor.name.substr(prefix.size())] = read_safetensor(golden, tensor.name);
        const auto model = converted(folder, Encoding::F16);
        const auto device = open_device();
        SessionOptions options;
        options.bindings = session_sizes(*model, request);
        Session session(device, model, DeviceWeights::load(device, model), options);
        std::vector<int32_t> best;
        for (const auto &[name, values] : run_model(session, request))
          best.push_back(int32_t(std::max_element(values.f.begin(), values.f.end()) - values.f.begin()));
        return best;
      }};
}

struct Counts {
  uint64_t pipelines = 0, dispatches = 0, barriers = 0;
  friend bool operator==(const Counts &, const Counts &) = default;
};

uint64_t n_calls(const char *name) {
  for (uint32_t i = 0; i < test_layer().n_functions(); ++i)
    if (std::string_view(test_layer().function(i).name) == name) return test_layer().function(i).n_calls;
  return 0;
}

struct Run {
  std::vector<int32_t> result;
  Counts counts;
  uint64_t n_checks = 0;
};

/// On a device that has what `masked` says, by what Fovea knows and keeps within: `pretended`; "": all.
Run run(const Scenario &scenario, const std::string &masked, const std::string &pretended,
        bool incoherent = false) {
  const Armed layer;
  const vk::test::ScopedEnv pretend("FOVEA_PRETEND", pretended.c_str());
  layer->set_memory({.incoherent = incoherent, .uncached = incoherent, .poison = true});
  layer->check_hazards(layer::HazardMode::Report, false);
  REQUIRE(layer->set_profile(masked.c_str(), pretended.empty()));
  const uint64_t before = layer->n_reports();
  Run out;
  out.result = scenario.run();
  CHECK(layer->n_reports() == before);
  const layer::HazardCounts h = layer->hazard_counts();
  out.counts = {n_calls("vkCreateComputePipelines"), h.n_dispatches, h.n_barriers};
  out.n_checks = layer->n_limit_checks();
  return out;
}

/// One in `stride` profiles, each masked, pretended, and both.
void run_all(size_t stride, const std::vector<bool> &memories) {
  const Quiet quiet;
  std::vector<Scenario> all = scenarios();
  if (const auto picture = picture_scenario()) all.push_back(*picture);
  uint64_t n_runs = 0, n_checks = 0;
  for (const Scenario &scenario : all) {
    INFO(scenario.name);
    const std::vector<int32_t> want = scenario.run();
    REQUIRE(!want.empty());
    for (size_t i = 0; i < builtin_profiles().size(); i += stride) {
      const std::string profile = builtin_profiles()[i].name;
      INFO(profile);
      for (const bool incoherent : memories) {
        const Run masked = run(scenario, profile, "", incoherent);
        const Run pretended = run(scenario, "", profile, incoherent),
                  both = run(scenario, profile, profile, incoherent);
        CHECK(masked.result == want);
        CHECK(both.result == want);
        CHECK(pretended.result == want);
        // What is masked is planned for as what is pretended.
        CHECK(masked.counts.pipelines == pretended.counts.pipelines);
        CHECK(masked.counts.dispatches == pretended.counts.dispatches);
        CHECK(masked.counts.barriers == pretended.counts.barriers);
        CHECK(masked.n_checks > 100);
        CHECK(pretended.n_checks == 0);
        n_runs += 2;
        n_checks += masked.n_checks + both.n_checks;
      }
    }
  }
  MESSAGE(concat(n_runs, " runs, ", n_checks, " checks of a limit"));
}

} // namespace

TEST_CASE("profile: a device within it looks to planning as when it is pretended") {
  for (const BuiltinProfile &profile : builtin_profiles()) {
    INFO(profile.name);
    const Armed layer;
    const DeviceCaps pretended = first_caps(profile.name);
    REQUIRE(layer->set_profile(profile.name, true));
    const DeviceCaps masked = first_caps("");
    CHECK(differences(masked, pretended) == "");
  }
}

TEST_CASE("profile: a model that is planned for more than there is, is reported") {
  const std::string folder = shared_path("golden/cases/llama");
  if (folder.empty()) return;
  const Quiet quiet;
  const TempFolder files;
  std::ofstream(files / "one_group.txt") << "max_workgroup_count = 1 1 1\n";
  const Armed layer;
  REQUIRE(layer->set_profile((files / "one_group.txt").c_str(), false));
  vk::DeviceOptions options;
  options.cache_folder = "";
  options.adjust_caps = [](DeviceCaps &caps) { caps.max_workgroup_count = {65535, 65535, 65535}; };
  const uint64_t n = provoke([&] {
    const auto device = vk::Device::open(options);
    const auto model = converted(folder, Encoding::F16);
    Generator generator(device, model, DeviceWeights::load(device, model), {});
    GenerateOptions what;
    what.max_tokens = 2;
    what.ignore_end = true;
    CHECK(generator.generate(std::vector<int32_t>{5, 9, 17, 3}, what).tokens.size() == 2);
  });
  CHECK(n > 0);
}

TEST_CASE("profile: models use nothing beyond it") { run_all(6, {false}); }

TEST_CASE("profile: models use nothing beyond any profile, or a share, whatever memory is like" *
          doctest::test_suite("sweep")) {
  run_all(one_in(5), {false, true});
}
