// Kernels are tried before their first use: here, in a child process, and in children that crash, hang or are
// something else.
#include "check/gate.h"

#include "base/log.h"
#include "exec/session.h"
#include "support/op_case.h"
#include "support/temp_folder.h"

#include <doctest/doctest.h>
#include <fstream>

using namespace fovea;
using namespace fovea::check;

namespace {

/// A program that a gate may start: a shell script.
std::string script(const test::TempFolder &folder, const std::string &body) {
  const std::string path = folder / "child";
  std::ofstream(path) << "#!/bin/sh\n" << body;
  std::filesystem::permissions(path, std::filesystem::perms::owner_all);
  return path;
}

struct Tried {
  std::vector<float> y;
  std::string error;
  std::set<std::string> kernels;
  VerdictTable verdicts;
};

/// A product of 3 rows by a session on a device with such a gate.
Tried run(const std::string &cache, const GateOptions &options, uint64_t flops_per_s = 1'000'000'000) {
  vk::DeviceOptions wanted;
  wanted.cache_folder = cache;
  wanted.tuning = false;
  wanted.adjust_caps = [&](DeviceCaps &caps) { caps.flops_per_s = flops_per_s; };
  const auto device = vk::Device::open(wanted);
  const auto gate = std::make_shared<Gate>(device->context()->physical.info.caps, cache, options);
  device->set_gate(gate);
  const auto model = Model::open(
      test::write_model({"graph g\n  in x f32 [3, 64]\n  h = linear(x, w)\n  out y = softmax(h)\n"},
                        {{"w", test::random_tensor({{40, 64}, Encoding::F16}, 1)}}));
  Tried out;
  try {
    Session session(device, model, DeviceWeights::load(device, model));
    session.expect("g");
    Program &program = session.program("g");
    const HostTensor x = test::random_tensor({{3, 64}, Encoding::F32}, 2);
    program.set_input("x", std::span<const float>(x.f));
    session.run(program);
    const auto y = program.output_as<float>("y");
    out.y.assign(y.begin(), y.end());
    for (const Dispatch &d : program.plan().dispatches) out.kernels.insert(to_string(d.kernel));
  } catch (const Error &e) {
    CHECK(e.code() == ErrorCode::Unsupported);
    out.error = e.what();
  }
  out.verdicts = gate->verdicts().all();
  return out;
}

size_t n_right(const VerdictTable &table) {
  return size_t(std::count_if(table.begin(), table.end(), [](const auto &row) { return row.second.right; }));
}

struct Quiet {
  Quiet() {
    set_log_sink([](LogLevel, std::string_view) {});
  }
  ~Quiet() { set_log_sink({}); }
};

} // namespace

TEST_CASE("gate: kernels are tried once, and what a verdict says is obeyed") {
  const test::TempFolder cache;
  const Quiet quiet;
  const Tried first = run(cache.path(), {});
  CHECK(first.error == "");
  CHECK(first.y.size() == 120);
  CHECK(first.verdicts.size() == 2);
  CHECK(n_right(first.verdicts) == 2);

  // Known: nothing is tried, not even by a program that would fail.
  const test::TempFolder folder;
  const GateOptions crashing{Mode::Child, script(folder, "kill -SEGV $$\n"), {}};
  const Tried second = run(cache.path(), crashing);
  CHECK(second.y == first.y);
  CHECK(second.kernels == first.kernels);

  vk::DeviceOptions wanted;
  wanted.cache_folder = cache.path();
  Verdicts verdicts(cache.path(), vk::Device::open(wanted)->context()->physical.info.caps);
  for (const auto &[variant, verdict] : first.verdicts) verdicts.set(variant, {false, "seen to be wrong"});
  verdicts.save();
  const Tried third = run(cache.path(), {});
  CHECK(third.error == "");
  for (const std::string &kernel : third.kernels) CHECK(!first.kernels.contains(kernel));
  double worst = 0;
  for (size_t i = 0; i < first.y.size(); ++i)
    worst = std::max(worst, std::abs(double(first.y[i]) - double(third.y[i])));
  CHECK(worst < 1e-5);
}

TEST_CASE("gate: kernels that are launched in parts are tried so, and known afterwards") {
  const test::TempFolder cache;
  const Quiet quiet;
  const Tried whole = run(cache.path(), {}), parts = run(cache.path(), {}, 100'000);
  CHECK(parts.error == "");
  CHECK(parts.y == whole.y);
  const auto in_pieces = [](const VerdictTable &table) {
    return std::count_if(table.begin(), table.end(), [](const auto &row) { return row.first.in_pieces; });
  };
  CHECK(in_pieces(whole.verdicts) == 0);
  CHECK(in_pieces(parts.verdicts) > 0);
  CHECK(n_right(parts.verdicts) == parts.verdicts.size());
  const test::TempFolder folder;
  const Tried again = run(cache.path(), {Mode::Child, script(folder, "kill -SEGV $$\n"), {}}, 100'000);
  CHECK(again.error == "");
  CHECK(again.verdicts == parts.verdicts);
}

TEST_CASE("gate: a child that crashes or hangs on every kernel leaves none, and says so") {
  const Quiet quiet;
  for (const bool hangs : {false, true}) {
    const test::TempFolder cache, folder;
    const std::string end = hangs ? "while :; do :; done" : "kill -SEGV $$";
    const GateOptions options{
        Mode::Child, script(folder, "cat >/dev/null\necho fovea-check 1\necho begin 0\n" + end + "\n"),
        std::chrono::seconds(hangs ? 1 : 30)};
    const Tried tried = run(cache.path(), options);
    CHECK(n_right(tried.verdicts) == 0);
    INFO(tried.error);
    CHECK(tried.error.find("Kernels that failed here: ") != std::string::npos);
    CHECK(tried.error.find(hangs ? "did not end within 1 s" : "the driver crashed: signal 11") !=
          std::string::npos);
    // What is known stays known: the next session fails at once, and starts nothing.
    CHECK(run(cache.path(), {Mode::Child, "/nowhere/to/be/found", {}})
              .error.find("Kernels that failed here: ") != std::string::npos);
  }
}

TEST_CASE("gate: a cache folder that cannot be written is no reason to fail") {
  const Quiet quiet;
  const test::TempFolder folder;
  test::write_file(folder / "file", "not a folder");
  const Tried tried = run(folder / "file/cache", {});
  CHECK(tried.error == "");
  CHECK(n_right(tried.verdicts) == 2);
}

TEST_CASE("gate: without a child that understands, kernels are tried here") {
  const Quiet quiet;
  const test::TempFolder folder;
  for (const std::string &program :
       {std::string("/nowhere/to/be/found"), script(folder, "echo hello\n"), script(folder, "exit 3\n"),
        script(folder, "cat >/dev/null\necho fovea-check 1\n")}) {
    const test::TempFolder cache;
    const Tried tried = run(cache.path(), {Mode::Child, program, {}});
    CHECK(tried.error == "");
    CHECK(n_right(tried.verdicts) == 2);
  }
}
