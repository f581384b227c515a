// Tuning on the device: what is measured, what is preferred, and that a device uses what was stored.
#include "converter/convert.h"
#include "kernels/catalogue.h"
#include "models/golden.h"
#include "support/error_text.h"
#include "support/temp_folder.h"
#include "tasks/tune.h"
#include "vk/tuning_file.h"

#include <algorithm>
#include <doctest/doctest.h>

using namespace fovea;
using namespace fovea::test;

namespace {

constexpr const char *kGraph = "graph g\n  in x f32 [T, 64]\n  a = linear(x, w1) act=relu\n"
                               "  b = linear(a, w2)\n  out y = layer_norm(b, one, one)\n";

std::shared_ptr<const Model> layers() {
  return Model::open(write_model({kGraph}, {{"w1", random_tensor({{64, 64}, Encoding::Q8}, 1)},
                                            {"w2", random_tensor({{64, 64}, Encoding::Q8}, 2)},
                                            {"one", random_tensor({{64}, Encoding::F32}, 3)}}));
}

/// A session whose program has run.
struct Run {
  explicit Run(std::shared_ptr<vk::Device> device, uint64_t n_rows = 40)
      : session(device, layers(), DeviceWeights::load(device, layers())),
        program(session.program("g", {{"T", n_rows}})) {
    const HostTensor x = random_tensor(program.plan().inputs[0].type, 4);
    program.set_input("x", std::span<const float>(x.f));
    session.run(program);
    const auto y = program.output_as<float>("y");
    result.assign(y.begin(), y.end());
  }
  VariantId variant(size_t dispatch) const { return program.plan().dispatches[dispatch].variant(); }
  Session session;
  Program &program;
  std::vector<float> result;
};

TuneOptions quick() {
  TuneOptions options;
  options.timer.repetition_s = 0.002;
  options.timer.n_repetitions = 3;
  return options;
}

std::shared_ptr<vk::Device> device_with(const std::string &folder, std::optional<bool> tuning = true) {
  vk::DeviceOptions options;
  options.cache_folder = folder;
  options.tuning = tuning;
  return vk::Device::open(options);
}

MeasuredChoice measured(double us, std::vector<MeasuredVariant> others) {
  MeasuredChoice choice;
  choice.n_dispatches = 1;
  choice.default_s = us * 1e-6;
  choice.variants = {{{KernelId(1)}, 1, 0, ""}};
  choice.variants.insert(choice.variants.end(), others.begin(), others.end());
  return choice;
}

VariantId preferred_of(const std::vector<MeasuredChoice> &choices) {
  std::vector<const MeasuredChoice *> pointers;
  for (const MeasuredChoice &choice : choices) pointers.push_back(&choice);
  return preferred(pointers);
}

} // namespace

TEST_CASE("tune: preferred is what is faster by more than the noise, for all shapes of the class") {
  const VariantId own{KernelId(1)}, a{KernelId(2)}, b{KernelId(3)};
  CHECK(preferred_of({measured(10, {})}) == own);
  CHECK(preferred_of({measured(10, {{a, 0.8, 0.02, ""}, {b, 0.7, 0.02, ""}})}) == b);
  CHECK(preferred_of({measured(10, {{a, 0.8, 0.02, ""}, {b, 0.7, 0.02, "wrong"}})}) == a);
  CHECK(preferred_of({measured(10, {{a, 0.95, 0.1, ""}})}) == own);
  CHECK(preferred_of({measured(10, {{a, 1.2, 0.02, ""}})}) == own);
  // Twice as fast at one shape, slower at another of the class: no.
  CHECK(preferred_of({measured(10, {{a, 0.5, 0.02, ""}}), measured(1, {{a, 1.3, 0.02, ""}})}) == own);
  CHECK(preferred_of({measured(10, {{a, 0.5, 0.02, ""}}), measured(1, {{a, 1.01, 0.02, ""}})}) == a);
  // Wrong at one of them: no. Not admissible there: the default runs there.
  CHECK(preferred_of({measured(10, {{a, 0.5, 0.02, ""}}), measured(1, {{a, 1, 0, "wrong"}})}) == own);
  CHECK(preferred_of({measured(10, {{a, 0.5, 0.02, ""}}), measured(1, {})}) == a);
}

TEST_CASE("tune: every variant of every choice is measured, and nothing is changed by it") {
  Run run(test_device());
  size_t n_reports = 0;
  TuneOptions options = quick();
  options.progress = [&](const std::string &, size_t done, size_t total) {
    CHECK(done < total);
    ++n_reports;
  };
  Tuner tuner(options);
  tuner.measure(run.session, run.program);
  CHECK(n_reports >= tuner.choices().size());
  std::map<std::string, std::set<VariantId>> found;
  for (const MeasuredChoice &choice : tuner.choices()) {
    CAPTURE(choice.statement);
    CHECK(choice.default_s > 0);
    for (const MeasuredVariant &v : choice.variants) {
      CHECK_MESSAGE(v.fault.empty(), v.fault);
      CHECK(v.ratio > 0);
      CHECK(found[choice.statement].insert(v.id).second);
    }
    CHECK(choice.best().ratio <= 1);
  }
  const Plan plan = run.session.plan_with(run.program.plan(), nullptr);
  for (const Dispatch &d : plan.dispatches) {
    if (d.among.size() < 2) continue;
    const std::string &statement = plan.statement_text[d.statement];
    CHECK(found[statement] == std::set<VariantId>(d.among.begin(), d.among.end()));
  }
  run.session.run(run.program);
  const auto y = run.program.output_as<float>("y");
  CHECK(std::vector<float>(y.begin(), y.end()) == run.result);
  // The same again is not measured again.
  const size_t n = tuner.choices().size();
  tuner.measure(run.session, run.program);
  CHECK(tuner.choices().size() == n);
}

TEST_CASE("tune: rows of other shapes stay, those of what prefers its default go") {
  Run run(test_device());
  Tuner tuner(quick());
  tuner.measure(run.session, run.program);
  REQUIRE(!tuner.choices().empty());
  TuningTable table;
  const ChoiceKey other{KernelId::softmax, {1, 2, 3, 4}};
  table.rows[other] = {KernelId::softmax};
  for (const MeasuredChoice &choice : tuner.choices()) table.rows[choice.key] = {KernelId::transpose};
  tuner.update(table);
  CHECK(table.rows.count(other) == 1);
  for (const auto &[key, variant] : table.rows) CHECK(variant != VariantId{KernelId::transpose});
}

TEST_CASE("tune: a device obeys the table beside its pipeline cache, and nobody else's") {
  const TempFolder folder;
  const Run plain(device_with(folder.path(), false));
  TuningTable forged;
  size_t n_forged = 0;
  for (const Dispatch &d : plain.program.plan().dispatches) {
    if (d.among.size() < 2) continue;
    forged.rows[d.key] = d.among.back();
    ++n_forged;
  }
  if (n_forged == 0) {
    MESSAGE("skipped: nothing is to be chosen on ", plain.session.caps().name);
    return;
  }
  const DeviceCaps &caps = plain.session.caps();
  const std::string path = vk::save_tuning(folder.path(), caps, forged);
  CHECK(path == vk::tuning_path(folder.path(), caps));
  const auto check_obeyed = [&](std::optional<bool> tuning, bool obeyed) {
    const Run run(device_with(folder.path(), tuning));
    for (size_t i = 0; i < run.program.plan().dispatches.size(); ++i) {
      const Dispatch &d = plain.program.plan().dispatches[i];
      CHECK(run.variant(i) == (obeyed && d.among.size() >= 2 ? d.among.back() : d.variant()));
    }
    REQUIRE(run.result.size() == plain.result.size());
    for (size_t i = 0; i < run.result.size(); ++i)
      CHECK(run.result[i] == doctest::Approx(plain.result[i]).epsilon(1e-3));
  };
  check_obeyed(true, true);
  check_obeyed(false, false);
  // Measured against what there is without a table, not against what the table says.
  Run tuned(device_with(folder.path()));
  Tuner tuner(quick());
  tuner.measure(tuned.session, tuned.program);
  CHECK(tuner.choices()[0].variants[0].id == plain.variant(0));
  TuneOptions in_use = quick();
  in_use.in_use = true;
  Tuner checker(in_use);
  checker.measure(tuned.session, tuned.program);
  CHECK(checker.choices()[0].variants[0].id == tuned.variant(0));
  CHECK(tuned.variant(0) != plain.variant(0));
  // Another driver's, under this one's name.
  DeviceCaps other = caps;
  other.driver_version += 1;
  CHECK(vk::tuning_path(folder.path(), other) != path);
  write_file(path, read_file(vk::save_tuning(folder.path(), other, forged)));
  check_obeyed(true, false);
  for (const std::string damaged : {"", "fovea tuning 1\n", "\xff\xfe\n\n\n"}) {
    write_file(path, damaged);
    check_obeyed(true, false);
  }
  // What no shape admits.
  for (auto &[key, variant] : forged.rows) variant = {KernelId::gru_f32, {1u << 31, 9}};
  vk::save_tuning(folder.path(), caps, forged);
  check_obeyed(true, false);
  CHECK(vk::clear_tuning(folder.path(), caps));
  CHECK_FALSE(vk::clear_tuning(folder.path(), caps));
  check_obeyed(true, false);
}

TEST_CASE("tune: what cannot be stored is an error; no folder, no table") {
  const DeviceCaps &caps = test_device()->caps();
  CHECK(vk::tuning_path("", caps).empty());
  CHECK(vk::load_tuning("", caps) == nullptr);
  CHECK(error_text([&] { vk::save_tuning("", caps, {}); }).find("FOVEA_CACHE_DIR") != std::string::npos);
  CHECK(error_text([&] { vk::save_tuning("/proc/nowhere", caps, {}); }).find("/proc/nowhere") !=
        std::string::npos);
}

TEST_CASE("tune: by a model's stages, cancelled when asked" * doctest::timeout(300)) {
  const TempFolder folder;
  TuneRun options{quick(), {}};
  const std::string source = shared_path("golden/cases/vit");
  std::atomic<bool> cancel{true};
  if (!source.empty()) {
    const std::string path = folder / "vit.gguf";
    convert(source, path, {});
    Tuner tuner(options.tuner);
    tune_model(tuner, test_device(), path, options);
    const auto has = [&](const std::string &statement) {
      return std::any_of(tuner.choices().begin(), tuner.choices().end(),
                         [&](const MeasuredChoice &c) { return c.statement.find(statement) == 0; });
    };
    CHECK(has("linear"));
    CHECK(has("attention"));
    CHECK(has("layer_norm"));
    for (const MeasuredChoice &choice : tuner.choices())
      for (const MeasuredVariant &v : choice.variants) CHECK_MESSAGE(v.fault.empty(), v.fault);
  }
  options.tuner.timer.cancel = &cancel;
  Tuner cancelled(options.tuner);
  CHECK_THROWS_AS(tune_standard_shapes(cancelled, test_device(), options), Error);
}
