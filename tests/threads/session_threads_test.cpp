// Sessions on one device and devices in one process, from several threads; cancelled and destroyed at any
// moment.
#include "threads/support.h"

#include "base/log.h"
#include "tasks/transcribe.h"
#include "vk/device.h"

using namespace fovea;
using namespace fovea::test;
using namespace std::chrono_literals;

namespace {

std::shared_ptr<vk::Device> open_device(const std::string &cache_folder = "") {
  vk::DeviceOptions o;
  o.cache_folder = cache_folder;
  o.tuning = false;
  return vk::Device::open(o);
}

std::shared_ptr<const Model> open_letters(const TempFolder &folder) {
  write_tiny_ctc_model(folder / "letters.gguf");
  return Model::open(folder / "letters.gguf");
}

std::string transcribe(Transcriber &transcriber, const std::vector<float> &sound = letters_sound(),
                       const std::atomic<bool> *cancel = nullptr) {
  TranscribeOptions options;
  options.cancel = cancel;
  return transcriber.transcribe(sound, options).text();
}

/// Twelve windows.
std::vector<float> long_sound() {
  std::vector<float> sound;
  for (int i = 0; i < 20; ++i) {
    const std::vector<float> words = letters_sound();
    sound.insert(sound.end(), words.begin(), words.end());
  }
  return sound;
}

} // namespace

TEST_CASE("threads: sessions on one device side by side, from the creation of its kernels") {
  const HangAlarm alarm;
  const TempFolder folder;
  const auto model = open_letters(folder);
  for (int round = 0; round < 6; ++round) {
    const auto device = open_device(folder.path());
    // Weights of its own for one of them.
    const auto shared = DeviceWeights::load(device, model);
    at_once(4, [&](size_t i) {
      Transcriber transcriber(device, model, i == 0 ? DeviceWeights::load(device, model) : shared);
      for (int run = 0; run < 5; ++run) expect_that(transcribe(transcriber) == kLetters, "another text");
    });
  }
}

TEST_CASE("threads: devices side by side, with one cache on disk") {
  const HangAlarm alarm;
  const TempFolder folder;
  const auto model = open_letters(folder);
  at_once(3, [&](size_t) {
    for (int round = 0; round < 5; ++round) {
      const auto device = open_device(folder.path());
      Transcriber transcriber(device, model, DeviceWeights::load(device, model));
      expect_that(transcribe(transcriber) == kLetters, "another text");
      device->pipeline_cache().save();
      device->pipeline_cache().merge_file();
    }
  });
}

TEST_CASE("threads: a transcription is cancelled at any moment, and the next one is right") {
  const HangAlarm alarm;
  const TempFolder folder;
  const auto model = open_letters(folder);
  const auto device = open_device();
  const auto weights = DeviceWeights::load(device, model);
  std::atomic<uint64_t> n_cancelled{0}, n_right{0};
  at_once(2, [&](size_t) { // each with sessions of its own
    Transcriber transcriber(device, model, weights);
    const std::vector<float> sound = long_sound();
    const auto begin = std::chrono::steady_clock::now();
    const std::string want = transcribe(transcriber, sound); // the first, and the longest
    Moments moments(std::chrono::duration_cast<std::chrono::microseconds>(
        std::min<std::chrono::nanoseconds>(std::chrono::steady_clock::now() - begin, 10ms)));
    for (int i = 0; i < 100; ++i) {
      std::atomic<bool> cancel{false};
      const std::jthread later([&, delay = moments.draw()] {
        std::this_thread::sleep_for(delay);
        cancel = true;
      });
      try {
        expect_that(transcribe(transcriber, sound, &cancel) == want, "another text before it was cancelled");
        ++n_right;
      } catch (const Error &e) {
        expect_that(e.code() == ErrorCode::Cancelled, e.what());
        ++n_cancelled;
      }
      expect_that(transcribe(transcriber, sound) == want, "another text after it was cancelled");
    }
  });
  MESSAGE(n_cancelled.load() << " cancelled, " << n_right.load() << " done before");
  CHECK(n_cancelled > 0);
}

TEST_CASE("threads: a run is cancelled or times out at any moment, and the next one is right") {
  const HangAlarm alarm;
  const TempFolder folder;
  const auto model = open_letters(folder);
  const auto device = open_device();
  Session session(device, model, DeviceWeights::load(device, model));
  Program &program = session.program("window", {{"N", 1000}});
  program.set_input<float>("window", std::vector<float>(1000, 0.25f));
  session.run(program);
  const auto output = [&] {
    const auto values = program.output_as<int32_t>("best");
    return std::vector<int32_t>(values.begin(), values.end());
  };
  const auto want = output();
  Moments moments(300us);
  uint64_t n_cancelled = 0;
  for (int i = 0; i < 300; ++i) {
    std::atomic<bool> cancel{false};
    const std::jthread later([&, delay = moments.draw()] {
      std::this_thread::sleep_for(delay);
      cancel = true;
    });
    if (moments.coin()) moments.sleep();
    try {
      session.run(program, {0ms, &cancel});
    } catch (const Error &e) {
      CHECK(e.code() == ErrorCode::Cancelled);
      ++n_cancelled;
    }
    session.run(program);
    CHECK(output() == want);
  }
  CHECK(n_cancelled > 0);
}

TEST_CASE("threads: a device is left at any moment, with its kernels half made") {
  const HangAlarm alarm;
  const TempFolder folder;
  const auto model = open_letters(folder);
  Moments moments(30ms);
  for (int i = 0; i < 20; ++i) {
    auto device = open_device();
    auto session = std::make_unique<Session>(device, model, DeviceWeights::load(device, model));
    session->expect("window", {{"N", 1000}});
    session->expect("window", {{"N", 500}});
    device.reset();
    moments.sleep();
    session.reset(); // and with it the device
  }
}

TEST_CASE("threads: what a session runs on is released elsewhere at any moment") {
  const HangAlarm alarm;
  const TempFolder folder;
  Moments moments(3ms);
  for (int round = 0; round < 6; ++round) {
    auto model = open_letters(folder);
    auto device = open_device();
    auto weights = DeviceWeights::load(device, model);
    std::vector<Transcriber> transcribers;
    for (int i = 0; i < 3; ++i) transcribers.emplace_back(device, model, weights);
    at_once(4, [&](size_t i) {
      if (i == 3) { // the first owner goes at some moment, the last one is a thread
        std::this_thread::sleep_for(moments.draw());
        weights.reset();
        device.reset();
        model.reset();
        return;
      }
      Transcriber own = std::move(transcribers[i]);
      Moments until(6ms);
      const auto end = std::chrono::steady_clock::now() + until.draw();
      do expect_that(transcribe(own) == kLetters, "another text");
      while (std::chrono::steady_clock::now() < end);
    });
  }
}

TEST_CASE("threads: the log's level is set while others log") {
  std::atomic<uint64_t> n_lines{0};
  set_log_sink([&](LogLevel, std::string_view) { ++n_lines; });
  at_once(3, [&](size_t i) {
    for (int k = 0; k < 1000; ++k)
      if (i == 0)
        set_log_level(k % 2 ? LogLevel::Warning : LogLevel::Error);
      else
        log(LogLevel::Warning, "line ", k);
  });
  set_log_sink({});
  set_log_level(LogLevel::Warning);
  CHECK(n_lines <= 2000);
}
