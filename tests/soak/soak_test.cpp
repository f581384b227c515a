// A fault each second, for as long as FOVEA_SOAK_SECONDS says (10): every transcription ends in an Error or
// in the very transcript that it gives without faults, to the bit, and so does the next one without a fault;
// nothing is left behind. FOVEA_SOAK_SEED: of the faults. A line a minute says how it goes.
#include "soak/footprint.h"
#include "soak/voice.h"

#include "base/error.h"
#include "layers/support.h"
#include "support/temp_folder.h"

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <map>
#include <random>
#include <thread>
#include <unistd.h>

using namespace fovea;
using namespace fovea::test;
using namespace std::chrono_literals;
using layer::CacheDamage;
using Clock = std::chrono::steady_clock;

namespace {

constexpr unsigned kHangSeconds = 300; // the alarm of one second's work

enum class Kind : uint8_t {
  FailedCall,   // of a run
  FailedOpen,   // of opening, loading and the first run
  LostDevice,   // at a submit or a wait
  OutOfMemory,  // from some allocation on
  NullPipeline, // success, and no handle
  LateFences,
  Timeout, // of a session's run
  Cancelled,
  DamagedCache, // of pipelines, on its way out or in
  SmallHeap,
  OddMemory, // not coherent, not cached, full of NaN, guarded
  DamagedFile,
  kKinds
};
struct Row {
  const char *name;
  unsigned weight; // how often: a new device takes a second or two of compiling
};
constexpr Row kRows[] = {{"failed call", 4},   {"failed opening", 1}, {"lost device", 2},
                         {"out of memory", 1}, {"null pipeline", 1},  {"late fences", 4},
                         {"timeout", 4},       {"cancelled", 4},      {"damaged cache", 1},
                         {"small heap", 1},    {"odd memory", 1},     {"damaged file", 2}};
static_assert(std::size(kRows) == size_t(Kind::kKinds));

uint64_t from_environment(const char *name, uint64_t usual) {
  const char *value = std::getenv(name);
  return value ? std::strtoull(value, nullptr, 10) : usual;
}

struct Counts {
  uint64_t faults = 0, errors = 0, right = 0, not_reached = 0;
};

class Soak {
public:
  explicit Soak(uint64_t seed)
      : random_(seed), voices_{windows_voice(folder_.path()), letters_voice(folder_.path()),
                               bundled_voice()} {
    for (size_t i = 0; i < voices_.size(); ++i) {
      choose(i);
      want_.push_back(listening().run());
      MESSAGE(voices_[i].name << ": " << want_.back().words);
      calls_of_run_.push_back(count([&] { listening().run(); }));
      close();
      calls_of_opening_.push_back(count([&] { listening().run(); }));
      close();
    }
    choose(0);
  }

  /// One fault, and one run after it.
  void second() {
    ::alarm(kHangSeconds);
    // The bundled model takes a hundred times the tiny ones' work: now and then.
    if (below(8) == 0) choose(below(30) == 0 ? 2 : below(3) == 0 ? 0 : 1);
    const Kind kind = choose_kind();
    Counts &counts = counts_[size_t(kind)];
    ++counts.faults;
    const uint64_t n_reports = layer_->n_reports();
    try {
      const bool reached = cause(kind);
      ++(reached ? counts.right : counts.not_reached);
    } catch (const Error &e) {
      ++counts.errors;
      ++codes_[to_string(e.code())];
      check_error(kind, e);
    }
    layer_->reset();
    // A kernel that the driver did not make is not asked for again, nor what the device has.
    if (kind == Kind::NullPipeline || kind == Kind::FailedOpen ||
        (listening_ && listening_->device()->lost()))
      close();
    try {
      compare(listening().run(), "after the fault");
    } catch (const Error &e) {
      wrong(concat("after the fault (", kRows[size_t(kind)].name, "): ", e.what()));
      close();
    }
    if (layer_->n_reports() != n_reports)
      wrong(concat("reported: ", layer_->report(layer_->n_reports() - 1)));
    ::alarm(0);
  }

  /// Closes what is open: what the process then holds.
  Footprint rest() {
    close();
    if (layer_->live_objects() != 0) wrong(concat(layer_->live_objects(), " objects of Vulkan are left"));
    return footprint();
  }

  uint64_t n_runs() const { return n_runs_; }
  uint64_t n_wrong() const { return n_wrong_; }
  uint64_t n_devices() const { return n_devices_; }
  std::string tell() const {
    Counts all;
    std::string kinds, codes;
    for (size_t i = 0; i < counts_.size(); ++i) {
      const Counts &c = counts_[i];
      all.faults += c.faults, all.errors += c.errors, all.right += c.right, all.not_reached += c.not_reached;
      kinds += concat(i ? ", " : "", kRows[i].name, " ", c.faults);
    }
    for (const auto &[code, n] : codes_) codes += concat(codes.empty() ? "" : ", ", code, " ", n);
    return concat(n_runs_, " transcriptions, ", n_devices_, " devices, ", all.faults, " faults: ", all.errors,
                  " ended in an Error (", codes, "), ", all.right, " in the transcript, ", all.not_reached,
                  " were not reached; ", n_wrong_, " wrong; ", kinds);
  }

private:
  using Calls = std::map<std::string, uint64_t>;

  uint64_t below(uint64_t n) { return std::uniform_int_distribution<uint64_t>(0, n - 1)(random_); }
  Kind choose_kind() {
    uint64_t n = 0;
    for (const Row &row : kRows) n += row.weight;
    n = below(n);
    size_t kind = 0;
    while (n >= kRows[kind].weight) n -= kRows[kind++].weight;
    return Kind(kind);
  }
  void choose(size_t voice) {
    if (voice != voice_) close();
    voice_ = voice;
  }
  void close() { listening_.reset(); }
  Listening &listening() {
    if (!listening_) {
      listening_ = std::make_unique<Listening>(voices_[voice_], cache_.path());
      ++n_devices_;
    }
    return *listening_;
  }

  template <class Body> Calls count(Body &&body) {
    layer_->reset();
    body();
    Calls calls;
    for (uint32_t i = 0; i < layer_->n_functions(); ++i)
      if (const layer::Function f = layer_->function(i); f.fallible && f.n_calls) calls[f.name] = f.n_calls;
    layer_->reset();
    return calls;
  }

  void wrong(const std::string &what) {
    ++n_wrong_;
    std::fprintf(stderr, "soak: %s: %s\n", voices_[voice_].name.c_str(), what.c_str());
  }
  /// `scores`: whether they must be the same, as they are where the same kernels ran.
  void compare(const Heard &got, const char *when, bool scores = true) {
    ++n_runs_;
    const Heard &want = want_[voice_];
    if (got.words != want.words || (scores && got.scores != want.scores))
      wrong(concat(when, ": ", got.words, got.scores, ", expected ", want.words, want.scores));
  }
  void check_error(Kind kind, const Error &e) {
    const std::string_view text = e.what();
    const bool drivers = text.find("gave nothing") != text.npos || text.find("VK_ERROR_") != text.npos;
    if (text.size() <= 10 || text.find('\n') != text.npos || (e.code() == ErrorCode::Internal && !drivers))
      wrong(concat(kRows[size_t(kind)].name, " ended in: ", text));
  }

  /// Arms a call of those that `calls` counts.
  void fail_one_of(const Calls &calls, VkResult result) {
    const auto it = std::next(calls.begin(), std::ptrdiff_t(below(calls.size())));
    // What is never seen to finish costs 30 s, and its memory: fences_test.cpp.
    const bool for_ever = it->first != "vkWaitForFences" && below(8) == 0;
    layer_->fail(it->first.c_str(), 1 + below(it->second), result, for_ever);
  }
  VkResult out_of_memory() { return below(2) ? VK_ERROR_OUT_OF_HOST_MEMORY : VK_ERROR_OUT_OF_DEVICE_MEMORY; }
  /// `scores`: as compare() takes it.
  void run_anew(bool scores = true) {
    close();
    compare(listening().run(), "with the fault", scores);
  }

  /// False where the fault could not come about.
  bool cause(Kind kind);
  void time_out();
  void cancel();
  bool open_damaged_file();

  const Quiet quiet_;
  const Armed layer_;
  const TempFolder folder_, cache_;
  std::mt19937_64 random_;
  std::vector<Voice> voices_;
  std::vector<Heard> want_; // of each voice
  std::vector<Calls> calls_of_run_, calls_of_opening_;
  size_t voice_ = 0;
  std::unique_ptr<Listening> listening_;
  std::array<Counts, size_t(Kind::kKinds)> counts_{};
  std::map<std::string, uint64_t> codes_;
  uint64_t n_runs_ = 0, n_devices_ = 0, n_wrong_ = 0;
};

bool Soak::cause(Kind kind) {
  switch (kind) {
  case Kind::FailedCall: {
    listening(); // opened without
    layer_->reset();
    fail_one_of(calls_of_run_[voice_], out_of_memory());
    compare(listening().run(), "with the fault");
    return layer_->n_failed() > 0;
  }
  case Kind::FailedOpen:
    close();
    fail_one_of(calls_of_opening_[voice_], out_of_memory());
    run_anew(false); // a device that could not say what it has is given other kernels
    return layer_->n_failed() > 0;
  case Kind::LostDevice: {
    listening();
    layer_->reset();
    const char *const function = below(2) ? "vkQueueSubmit" : "vkWaitForFences";
    const Calls &calls = calls_of_run_[voice_];
    const auto found = calls.find(function);
    layer_->fail(function, 1 + below(found == calls.end() ? 1 : found->second), VK_ERROR_DEVICE_LOST, false);
    compare(listening().run(), "with the fault");
    return layer_->n_failed() > 0;
  }
  case Kind::OutOfMemory:
    close();
    layer_->fail("vkAllocateMemory", 1 + below(calls_of_opening_[voice_].at("vkAllocateMemory")),
                 VK_ERROR_OUT_OF_DEVICE_MEMORY, true);
    run_anew();
    return layer_->n_failed() > 0;
  case Kind::NullPipeline:
    close();
    layer_->fail("vkCreateComputePipelines",
                 1 + below(calls_of_opening_[voice_].at("vkCreateComputePipelines")), VK_SUCCESS,
                 below(4) == 0);
    compare(listening().run(), "with the fault", false); // with another kernel
    return layer_->n_failed() > 0;
  case Kind::LateFences:
    listening();
    layer_->delay_fences(uint32_t(1 + below(voice_ == 0 ? 10 : 60)));
    compare(listening().run(), "with late fences");
    return true;
  case Kind::Timeout: time_out(); return true;
  case Kind::Cancelled: cancel(); return true;
  case Kind::DamagedCache: {
    const auto damage = [&] { return CacheDamage(below(3)); };
    close(); // what is written now
    layer_->damage_cache(below(4) == 0 ? CacheDamage::Grow : damage(), damage(), below(256));
    run_anew();
    run_anew();
    return true;
  }
  case Kind::SmallHeap:
    close();
    layer_->set_memory({.heap_bytes = uint64_t(64) << (10 + below(12))});
    run_anew();
    close();
    return true;
  case Kind::OddMemory:
    close();
    layer_->set_memory({.incoherent = true, .uncached = below(2) == 0, .poison = true, .guard = true});
    run_anew();
    close();
    return true;
  case Kind::DamagedFile: return open_damaged_file();
  case Kind::kKinds: break;
  }
  return false;
}

/// A run that is given up, of a session beside the transcriber's.
void Soak::time_out() {
  const auto model = Model::open(voices_[1].model_path);
  const auto &device = listening().device();
  Session session(device, model, DeviceWeights::load(device, model, WeightPlacement::Copy));
  Program &program = session.program("window", {{"N", 1000}});
  program.set_input<float>("window", std::vector<float>(1000, 0.25f));
  session.run(program);
  const auto output = [&] {
    const auto bytes = program.output("best");
    return std::vector<std::byte>(bytes.begin(), bytes.end());
  };
  const auto want = output();
  layer_->delay_fences(layer::kNever); // however long this thread waits for a processor
  bool ended = false;
  try {
    session.run(program, {std::chrono::milliseconds(1 + below(20)), nullptr});
  } catch (const Error &e) {
    ended = e.code() == ErrorCode::Timeout;
    ++codes_[to_string(e.code())];
  }
  if (!ended) wrong("a run did not end at its timeout");
  layer_->delay_fences(0);
  session.run(program);
  if (output() != want) wrong("after a timeout a session gives something else");
}

void Soak::cancel() {
  listening();
  std::atomic<bool> cancel{false};
  const auto delay = std::chrono::microseconds(below(voice_ == 2 ? 300'000 : 12'000));
  std::jthread later([&] {
    std::this_thread::sleep_for(delay);
    cancel = true;
  });
  compare(listening().run(&cancel), "before it was cancelled");
}

/// A byte of the file is another one.
bool Soak::open_damaged_file() {
  std::string bytes = read_file(voices_[voice_].model_path);
  bytes[below(bytes.size())] ^= char(1 << below(8));
  Voice damaged = voices_[voice_];
  damaged.model_path = folder_ / "damaged.gguf";
  write_file(damaged.model_path, bytes);
  close();
  Listening(damaged, cache_.path()).run();
  wrong("a damaged file was not refused");
  return true;
}

void print(uint64_t at_s, const Soak &soak, const Footprint &now) {
  std::printf("%s\n",
              concat(at_s, " s: ", soak.tell(), "; own ", now.own_bytes, " bytes in ", now.own_blocks,
                     " blocks, heap ", now.heap_bytes / 1024, " KiB, resident ", now.resident_bytes / 1024,
                     " KiB, ", now.n_descriptors, " descriptors, ", now.n_threads, " threads")
                  .c_str());
  std::fflush(stdout);
}

} // namespace

TEST_CASE("soak: a fault each second, and every transcript is an Error or the same to the bit" *
          doctest::test_suite("sweep")) {
  const auto seconds = from_environment("FOVEA_SOAK_SECONDS", 10);
  const uint64_t seed = from_environment("FOVEA_SOAK_SEED", std::random_device{}());
  MESSAGE("seed " << seed);
  Soak soak(seed);
  const auto begin = Clock::now();
  const auto elapsed = [&] {
    return uint64_t(std::chrono::duration_cast<std::chrono::seconds>(Clock::now() - begin).count());
  };
  // By the end of it everything has been made that is made once.
  const uint64_t warm = seconds < 60 ? 3 : 60, period = seconds < 60 ? 3 : 60;
  uint64_t next = warm;
  std::optional<Footprint> first;
  std::vector<double> own, heap, resident;
  for (auto *values : {&own, &heap, &resident}) values->reserve(seconds / period + 2);
  for (uint64_t n = 1; elapsed() < seconds; ++n) {
    soak.second();
    if (elapsed() >= next) {
      next += period;
      const Footprint now = soak.rest();
      if (!first) first = now;
      own.push_back(double(now.own_bytes));
      heap.push_back(double(now.heap_bytes));
      resident.push_back(double(now.resident_bytes));
      print(elapsed(), soak, now);
      CHECK(now.n_descriptors == first->n_descriptors);
      CHECK(now.n_threads == first->n_threads);
    }
    std::this_thread::sleep_until(begin + std::chrono::seconds(n));
  }
  MESSAGE(soak.tell());
  MESSAGE("slope of Fovea's own memory " << robust_slope(own) / double(period)
                                         << " bytes a second, of the heap "
                                         << robust_slope(heap) / double(period) << ", of the process "
                                         << robust_slope(resident) / double(period));
  CHECK(soak.n_wrong() == 0);
  if (own.size() >= 10) CHECK(robust_slope(own) / double(period) < 1);
}
