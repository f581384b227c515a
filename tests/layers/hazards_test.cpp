// Missing barriers: planted ones are found, models have none, and each barrier of their plans is needed.
#include "layers/support.h"

#include "base/checked.h"
#include "models/golden.h"
#include "support/share.h"
#include "support/temp_folder.h"
#include "support/tiny_speech_model.h"

#include <filesystem>

using namespace fovea;
using namespace fovea::test;
using layer::HazardMode;

namespace {

void run(const std::shared_ptr<vk::Device> &device, vk::Recorder &recorder) {
  const vk::Recording recording = recorder.finish();
  vk::Fence fence = device->fence();
  fence.submit(recording.parts());
  fence.wait();
}

/// Hazards of a plan, run dry over the session's memory, without its k-th barrier (from 1; 0: with all).
uint64_t hazards_of(Session &session, const Plan &plan, uint64_t without = 0) {
  const Armed layer;
  layer->check_hazards(HazardMode::Count, true);
  layer->drop_barrier(without);
  Program program = session.assemble(plan);
  session.run(program);
  return layer->hazard_counts().n_hazards;
}

std::optional<Plan> plan_of(Session &session, const Graph &graph, const Bindings &bound) {
  for (const uint64_t size : {3u, 8u, 64u, 4000u}) {
    Bindings sizes = bound;
    for (const ValueInfo &v : graph.values())
      for (const Dim &d : v.dims)
        if (!d.symbol.empty() && !bound.contains(d.symbol)) sizes[d.symbol] = size;
    try {
      return session.program(graph.name(), sizes).plan();
    } catch (const Error &) { // too small for its windows, or too large for its states
    }
  }
  return {};
}

struct Mutations {
  uint64_t plans = 0, dispatches = 0, barriers = 0, tried = 0, caught = 0;
  uint64_t after_plan = 0, after_plan_caught = 0;
};

/// Every `every`-th barrier of the model's plans, and those that a program adds to its plan.
void mutate(const std::shared_ptr<vk::Device> &device, const std::shared_ptr<const Model> &model,
            size_t every, Mutations &out) {
  // What states are sized by, where the file does not say.
  Bindings bound = {{"B", 2}, {"G", 2}, {"S", 8}, {"C", 16}};
  for (auto &[symbol, size] : bound)
    size = model->file().find_u32(concat("fovea.size.", symbol)).value_or(uint32_t(size));
  SessionOptions options;
  options.bindings = bound;
  Session session(device, model, DeviceWeights::load(device, model), options);
  for (const Graph &graph : model->graphs()) {
    const std::optional<Plan> plan = plan_of(session, graph, bound);
    INFO(concat(model->path(), ", graph ", graph.name()));
    REQUIRE(plan);
    ++out.plans;
    out.dispatches += plan->dispatches.size();
    CHECK(hazards_of(session, *plan) == 0);
    for (size_t d = 0; d < plan->dispatches.size(); ++d) {
      if (!plan->dispatches[d].barrier_before || out.barriers++ % every) continue;
      Plan mutant = *plan;
      mutant.dispatches[d].barrier_before = false;
      ++out.tried;
      const bool caught = hazards_of(session, mutant) > 0;
      out.caught += caught;
      CHECK_MESSAGE(caught, "not needed before dispatch ", d, ", ",
                    plan->statement_text[plan->dispatches[d].statement]);
    }
    uint64_t n = 0;
    for (const Dispatch &d : plan->dispatches) n += d.barrier_before;
    if (plan->outputs.empty()) continue;
    for (const uint64_t k : {n + 1, n + 2}) { // before outputs are copied, and before the host reads them
      ++out.after_plan;
      const bool caught = hazards_of(session, *plan, k) > 0;
      out.after_plan_caught += caught;
      CHECK_MESSAGE(caught, "not needed after the plan: ", k - n);
    }
  }
}

void tell(const Mutations &m) {
  MESSAGE(concat(m.plans, " plans of ", m.dispatches, " dispatches with ", m.barriers, " barriers: of ",
                 m.tried, " left out, ", m.caught, " were found missing; of ", m.after_plan,
                 " after the plan, ", m.after_plan_caught));
}

std::vector<std::string> golden_names() {
  std::vector<std::string> names;
  const std::string folder = shared_path("golden/cases");
  if (folder.empty()) return names;
  for (const auto &entry : std::filesystem::directory_iterator(folder))
    if (std::filesystem::exists(entry.path() / "config.json")) // log_mel is no model
      names.push_back(entry.path().filename());
  std::sort(names.begin(), names.end());
  return names;
}

} // namespace

TEST_CASE("hazards: planted ones are reported, and barriers end them") {
  const auto device = open_device();
  const vk::Buffer a = device->allocate(vk::MemoryKind::Device, 256, "a"),
                   b = device->allocate(vk::MemoryKind::Readback, 256, "b");
  using vk::Hazard;
  const auto reports = [&](Hazard between, Hazard to_host,
                           const std::function<void(vk::Recorder &)> &second) {
    const Armed layer;
    return provoke([&] {
      layer->check_hazards(HazardMode::Report, false);
      vk::Recorder recorder = device->recorder();
      recorder.fill(a, 0, 256, 1);
      recorder.barrier(between);
      second(recorder);
      recorder.barrier(to_host);
      run(device, recorder);
    });
  };
  const auto copy = [&](vk::Recorder &r) { r.copy(a, 0, b, 0, 256); };
  const auto fill = [&](vk::Recorder &r) { r.fill(a, 128, 128, 2); };
  const auto elsewhere = [&](vk::Recorder &r) { r.copy(b, 0, b, 128, 128); };
  const Hazard none = Hazard::None, copies = Hazard::TransferToTransfer, host = Hazard::TransferToHost;
  CHECK(reports(copies, host, copy) == 0);
  CHECK(reports(none, host, copy) == 1);                     // read after write
  CHECK(reports(copies, none, copy) == 1);                   // the host's read
  CHECK(reports(Hazard::ComputeToCompute, host, copy) == 1); // of other stages
  CHECK(reports(none, none, fill) == 1);                     // write after write
  CHECK(reports(copies, none, fill) == 0);
  CHECK(reports(none, host, elsewhere) == 0);
}

TEST_CASE("hazards: between submits without a wait, and none with one") {
  const auto device = open_device();
  const vk::Buffer a = device->allocate(vk::MemoryKind::Device, 256, "a");
  for (const bool waits : {false, true}) {
    const Armed layer;
    const uint64_t n = provoke([&] {
      layer->check_hazards(HazardMode::Report, false);
      std::vector<vk::Recording> recordings;
      for (const uint32_t word : {1u, 2u}) {
        vk::Recorder recorder = device->recorder();
        recorder.fill(a, 0, 256, word);
        recordings.push_back(recorder.finish());
      }
      vk::Fence first = device->fence(), second = device->fence();
      first.submit(recordings[0].parts());
      if (waits) first.wait();
      second.submit(recordings[1].parts());
      second.wait();
      first.wait();
    });
    CHECK(n == (waits ? 0 : 1));
  }
}

TEST_CASE("hazards: models of every kind have none") {
  const Quiet quiet;
  for (const Scenario &scenario : scenarios()) {
    INFO(scenario.name);
    const Armed layer;
    layer->check_hazards(HazardMode::Report, false);
    const uint64_t before = layer->n_reports();
    CHECK(scenario.run().size() > 2);
    CHECK(layer->n_reports() == before);
    CHECK(layer->hazard_counts().n_accesses > layer->hazard_counts().n_dispatches);
    MESSAGE(concat(scenario.name, ": ", layer->hazard_counts().n_dispatches, " dispatches, ",
                   layer->hazard_counts().n_barriers, " barriers"));
  }
}

TEST_CASE("hazards: a barrier less in a plan is seen") {
  const Quiet quiet;
  const TempFolder folder;
  write_tiny_speech_model(folder / "tiny.gguf");
  Mutations m;
  mutate(open_device(), Model::open(folder / "tiny.gguf"), 3, m);
  tell(m);
  CHECK(m.tried > 10);
}

TEST_CASE("hazards: any barrier less in the plans of the golden models is seen, or a share" *
          doctest::test_suite("sweep")) {
  const Quiet quiet;
  Mutations m;
  const auto device = open_device();
  for (const std::string &name : golden_names())
    for (const Encoding encoding : {Encoding::F32, Encoding::Q8}) {
      CAPTURE(name);
      mutate(device, converted(shared_path("golden/cases/" + name), encoding), one_in(7), m);
    }
  tell(m);
}
