// The C interface from several threads at once: devices, models, transcribers and requests to cancel,
// released in any order.
#include "threads/support.h"

#include <fovea/transcribe.h>

#include <cstring>

using namespace fovea::test;
using namespace std::chrono_literals;

namespace {

/// A status that is none of those wanted is this thread's fault.
void want(fovea_status status, fovea_status either = FOVEA_OK) {
  expect_that(status == FOVEA_OK || status == either,
              std::string(fovea_status_name(status)) + ": " + fovea_last_error());
}

fovea_device *open_device(const std::string &cache_folder) {
  fovea_device_options options;
  fovea_device_options_init(&options, sizeof options);
  options.cache_folder = cache_folder.c_str();
  options.check = FOVEA_CHECK_HERE;
  fovea_device *device = nullptr;
  want(fovea_device_open(&options, &device));
  return device;
}

/// 1 when it was cancelled.
int transcribe(fovea_transcriber *transcriber, const fovea_cancel *cancel) {
  static const std::vector<float> sound = letters_sound();
  fovea_transcribe_options options;
  fovea_transcribe_options_init(&options, sizeof options);
  options.cancel = cancel;
  fovea_transcript *transcript = nullptr;
  const fovea_status status =
      fovea_transcribe(transcriber, sound.data(), sound.size(), &options, &transcript);
  want(status, cancel ? FOVEA_CANCELLED : FOVEA_OK);
  expect_that((transcript == nullptr) == (status == FOVEA_CANCELLED), "a transcript after an error");
  if (transcript) expect_that(!std::strcmp(fovea_transcript_text(transcript), kLetters), "another text");
  fovea_transcript_release(transcript);
  return status == FOVEA_CANCELLED;
}

} // namespace

TEST_CASE("threads: the interface, with cancels and releases at any moment") {
  const HangAlarm alarm;
  const TempFolder folder, cache;
  write_tiny_ctc_model(folder / "letters.gguf");
  fovea_model *model = nullptr;
  REQUIRE(fovea_model_open((folder / "letters.gguf").c_str(), nullptr, &model) == FOVEA_OK);
  fovea_cancel *cancel = nullptr; // one for all
  REQUIRE(fovea_cancel_create(&cancel) == FOVEA_OK);
  std::atomic<int> n_working{3}, n_cancelled{0};
  at_once(5, [&](size_t i) {
    Moments moments(2ms);
    if (i == 3) { // cancels
      while (n_working > 0) {
        moments.sleep();
        fovea_cancel_request(cancel);
        expect_that(fovea_cancel_requested(cancel) == 1, "not requested");
        moments.sleep();
        fovea_cancel_reset(cancel);
      }
      return;
    }
    if (i == 4) { // looks at what there is
      while (n_working > 0) {
        fovea_device_list *list = nullptr;
        want(fovea_list_devices(&list));
        fovea_device_list_release(list);
        fovea_model *none = nullptr;
        expect_that(fovea_model_open("/nonexistent.gguf", nullptr, &none) == FOVEA_NOT_FOUND, "found");
        expect_that(std::strstr(fovea_last_error(), "/nonexistent.gguf") != nullptr, fovea_last_error());
        fovea_set_log_level(moments.coin() ? FOVEA_LOG_ERROR : FOVEA_LOG_WARNING);
        std::this_thread::sleep_for(5ms);
      }
      return;
    }
    struct Leaving {
      std::atomic<int> &n;
      ~Leaving() { --n; }
    } leaving{n_working};
    for (int round = 0; round < 5; ++round) {
      fovea_device *device = open_device(cache.path());
      fovea_transcriber *transcriber = nullptr;
      want(fovea_transcriber_create(device, model, nullptr, &transcriber));
      const bool device_first = moments.coin();
      if (device_first) fovea_device_release(device);
      for (int run = 0; run < 10; ++run) n_cancelled += transcribe(transcriber, cancel);
      transcribe(transcriber, nullptr);
      fovea_transcriber_release(transcriber);
      if (!device_first) fovea_device_release(device);
    }
  });
  fovea_cancel_release(cancel);
  fovea_model_release(model);
  fovea_set_log_level(FOVEA_LOG_WARNING);
  MESSAGE(n_cancelled.load() << " of 150 transcriptions cancelled");
  CHECK(fovea_validation_error_count() == 0);
}

TEST_CASE("threads: sessions of one model on one device, made and released by many threads") {
  const HangAlarm alarm;
  const TempFolder folder, cache;
  write_tiny_ctc_model(folder / "letters.gguf");
  fovea_model *model = nullptr;
  REQUIRE(fovea_model_open((folder / "letters.gguf").c_str(), nullptr, &model) == FOVEA_OK);
  fovea_device *const device = open_device(cache.path());
  std::mutex mutex; // guards `first`
  std::vector<std::byte> first;
  at_once(4, [&](size_t) {
    const std::vector<float> samples(1000, 0.25f);
    const fovea_tensor input = {"window", FOVEA_F32, 2, {1, samples.size(), 0, 0}, samples.data()};
    for (int round = 0; round < 20; ++round) {
      fovea_session *session = nullptr;
      want(fovea_session_create(device, model, nullptr, &session));
      fovea_results *results = nullptr;
      want(fovea_session_run(session, nullptr, &input, 1, &results));
      fovea_session_release(session); // results are their own
      const fovea_tensor *const best = fovea_results_get(results, 0);
      expect_that(best != nullptr, "no results");
      uint64_t bytes = 4;
      for (uint32_t d = 0; d < best->rank; ++d) bytes *= best->shape[d];
      const auto *const data = static_cast<const std::byte *>(best->data);
      const std::vector<std::byte> got(data, data + bytes);
      expect_that(got.size() > 40, "too few results");
      {
        const std::lock_guard lock(mutex);
        if (first.empty()) first = got;
        expect_that(got == first, "another result");
      }
      fovea_results_release(results);
    }
  });
  fovea_device_release(device);
  fovea_model_release(model);
}
