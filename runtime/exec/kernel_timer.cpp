#include "exec/kernel_timer.h"

#include "base/half.h"

#include <algorithm>
#include <cmath>
#include <cstring>

namespace fovea {
namespace {

constexpr uint32_t kPoison = 0xFFFFFFFFu; // not a number in f32 and in f16
constexpr size_t kMaxLaunches = 1024;
constexpr uint32_t kEnough = 3; // repetitions of what takes long

bool is_written(const Binding &b) {
  return b.access != Access::Read && (b.space == Space::State || b.space == Space::Scratch);
}

template <class T> T value_at(std::span<const std::byte> bytes, size_t i) {
  T value;
  std::memcpy(&value, bytes.data() + i * sizeof value, sizeof value);
  return value;
}

/// Elements that are no longer poison. Error Internal when one is not finite.
uint64_t count_written(std::span<const std::byte> bytes, Encoding encoding, const std::string &what) {
  uint64_t n_written = 0;
  const size_t size = encoding == Encoding::F16 ? 2 : 4;
  for (size_t i = 0; i < bytes.size() / size; ++i) {
    float value = 0;
    if (encoding == Encoding::F16) {
      const auto bits = value_at<uint16_t>(bytes, i);
      if (bits == uint16_t(kPoison)) continue;
      value = half_to_float(bits);
    } else {
      const auto bits = value_at<uint32_t>(bytes, i);
      if (bits == kPoison) continue;
      if (encoding == Encoding::F32) value = value_at<float>(bytes, i);
    }
    ++n_written;
    if (!std::isfinite(value)) fail(ErrorCode::Internal, what, ": element ", i, " of the result is ", value);
  }
  return n_written;
}

} // namespace

KeptRanges::KeptRanges(Session &session, const Dispatch &dispatch) : session_(session) {
  for (const Binding &b : dispatch.touched)
    if (is_written(b)) kept_.emplace_back(b, session.read(b));
}

void KeptRanges::restore() const {
  for (const auto &[range, bytes] : kept_) session_.write(range, bytes);
}

KernelTimer::KernelTimer(Session &session, const Program &program, const Options &options)
    : session_(session), given_(program), options_(options) {
  control_.cancel = options.cancel;
}

Program KernelTimer::program_of(std::span<const Dispatch> dispatches, size_t n_launches,
                                bool barriers) const {
  Plan plan = given_.plan();
  plan.outputs.clear();
  plan.dispatches.clear();
  for (size_t i = 0; i < n_launches; ++i) {
    plan.dispatches.push_back(dispatches[i % dispatches.size()]);
    if (barriers) plan.dispatches.back().barrier_before = true;
  }
  Program program = session_.assemble(std::move(plan));
  program.copy_inputs(given_);
  return program;
}

void KernelTimer::run(std::span<const Dispatch> dispatches) {
  if (dispatches.empty()) return;
  Program program = program_of(dispatches, dispatches.size(), false);
  session_.run(program, control_);
}

std::vector<std::byte> KernelTimer::check(const Dispatch &dispatch, const DispatchWork &work,
                                          const std::string &what) {
  const KeptRanges before(session_, dispatch);
  Program program = program_of({&dispatch, 1}, 1, true);
  const auto run_once = [&] {
    before.restore();
    for (const Binding &b : dispatch.touched)
      if (is_written(b) && b.access == Access::Write) session_.fill(b, kPoison);
    session_.run(program, control_);
    std::vector<std::byte> all;
    for (const Binding &b : dispatch.touched) {
      if (!is_written(b)) continue;
      const std::vector<std::byte> bytes = session_.read(b);
      all.insert(all.end(), bytes.begin(), bytes.end());
      if (b.access != Access::Write) continue;
      // Every result is f32, a stored one as the state has it; temporaries are whatever the op made of them.
      const bool is_result =
          work.stores ? b.space == Space::State : b.space == Space::Scratch && b.bytes == work.result.bytes();
      const Encoding encoding = is_result ? work.result.encoding : Encoding::I32;
      const uint64_t n_written = count_written(bytes, encoding, what);
      const bool counts = is_result && (encoding == Encoding::F32 || encoding == Encoding::F16);
      const uint64_t wanted = !work.sole ? 0 : counts ? work.result.shape.elements() : 1;
      if (n_written < wanted)
        fail(ErrorCode::Internal, what, ": ", n_written, " elements were written, expected ", wanted);
    }
    return all;
  };
  const std::vector<std::byte> first = run_once(), second = run_once();
  before.restore();
  if (first != second) fail(ErrorCode::Internal, what, ": two runs on the same input gave different results");
  return first;
}

std::vector<KernelTime> KernelTimer::time(std::span<const LaunchCycle> alternatives) {
  WorkClock clock(session_.caps());
  std::vector<Program> programs;
  std::vector<size_t> launches;
  std::vector<double> once; // of a launch, while it was found how many to make
  for (const LaunchCycle &cycle : alternatives) {
    size_t n = 1;
    for (;;) {
      Program program = program_of(cycle, n, true);
      session_.run(program, control_); // warms up
      clock.start();
      session_.run(program, control_);
      const double seconds = clock.elapsed().cpu;
      const double each = seconds / double(n);
      const bool slow = options_.give_up > 0 && !once.empty() && each > options_.give_up * once[0];
      const double wanted = options_.repetition_s / std::max(seconds, 1e-7);
      if (wanted < 1.5 || n == kMaxLaunches || slow) {
        once.push_back(each);
        programs.push_back(std::move(program));
        break;
      }
      n = std::min(kMaxLaunches, size_t(std::ceil(double(n) * std::min(wanted, 100.0))));
    }
    launches.push_back(n);
  }
  std::vector<std::vector<double>> cpu(programs.size()), wall(programs.size());
  for (uint32_t r = 0; r < options_.n_repetitions; ++r)
    for (size_t i = 0; i < programs.size(); ++i) {
      if (options_.give_up > 0 && i > 0 && once[i] > options_.give_up * once[0]) continue;
      if (r >= kEnough && median(wall[i]) * double(launches[i]) * r > options_.most_s) continue;
      clock.start();
      session_.run(programs[i], control_);
      const WorkClock::Seconds seconds = clock.elapsed();
      cpu[i].push_back(seconds.cpu / double(launches[i]));
      wall[i].push_back(seconds.wall / double(launches[i]));
    }
  std::vector<KernelTime> times;
  for (size_t i = 0; i < programs.size(); ++i) {
    if (cpu[i].empty()) cpu[i] = wall[i] = {once[i]};
    times.push_back({median(cpu[i]), *std::min_element(cpu[i].begin(), cpu[i].end()), median(wall[i]),
                     uint32_t(launches[i]), cpu[i]});
  }
  return times;
}

} // namespace fovea
