// Windows of a recording, and sources that can be read again.
#include "support/speech_metadata.h"
#include "support/temp_folder.h"
#include "tasks/recording.h"

#include <cmath>
#include <doctest/doctest.h>
#include <limits>
#include <random>
#include <sys/stat.h>
#include <thread>

using namespace fovea;

namespace {

std::vector<float> ramp(size_t n) {
  std::vector<float> out(n);
  for (size_t i = 0; i < n; ++i) out[i] = float(1 + i % 1000) / 2048;
  return out;
}

// By definition: mirrored before the start, silent after the end.
std::vector<float> window_of(const std::vector<float> &samples, const SpeechSpec &spec, uint64_t start) {
  std::vector<float> out;
  for (int64_t i = int64_t(start) - spec.context_before; out.size() < spec.input_samples(); ++i) {
    const auto at = size_t(std::abs(i));
    out.push_back(at < samples.size() ? samples[at] : 0);
  }
  return out;
}

/// Gives a few samples at a time until the last, as no reader may, but a network might.
class Slow final : public AudioSource {
public:
  explicit Slow(std::vector<float> samples) : samples_(std::move(samples)) {}
  void rewind() override { at_ = 0; }
  size_t read(std::span<float> out) override {
    const size_t n = std::min(out.size(), samples_.size() - at_);
    std::copy_n(samples_.begin() + std::ptrdiff_t(at_), n, out.begin());
    at_ += n;
    return n;
  }
  std::string name() const override { return "slow"; }

private:
  std::vector<float> samples_;
  size_t at_ = 0;
};

std::string wav_file(const std::vector<float> &samples) {
  const auto n = uint32_t(samples.size() * 2);
  std::string out = "RIFF";
  const auto put = [&](auto value) { out.append(reinterpret_cast<const char *>(&value), sizeof value); };
  put(uint32_t(36 + n));
  out += "WAVEfmt ";
  put(uint32_t(16)), put(uint16_t(1)), put(uint16_t(1)), put(uint32_t(16000)), put(uint32_t(32000)),
      put(uint16_t(2)), put(uint16_t(16));
  out += "data";
  put(n);
  for (const float s : samples) put(int16_t(std::lround(s * 32768)));
  return out;
}

std::vector<float> read_all(AudioSource &source) {
  source.rewind();
  std::vector<float> out, block(1000);
  while (const size_t n = source.read(block))
    out.insert(out.end(), block.begin(), block.begin() + std::ptrdiff_t(n));
  return out;
}

} // namespace

TEST_CASE("recording: windows as defined, for any length and any steps") {
  const SpeechSpec spec = test::tiny_spec();
  std::mt19937 generator(5);
  for (const size_t n : {1u, 7u, 199u, 200u, 201u, 7999u, 8000u, 8001u, 65536u, 131072u, 150000u}) {
    const std::vector<float> samples = ramp(n);
    Slow source(samples);
    for (int round = 0; round < 3; ++round) {
      Recording recording(source, spec);
      for (uint64_t start = 0; start < n; start += 1 + generator() % spec.window_samples) {
        const auto got = recording.window(start);
        REQUIRE(std::vector<float>(got.begin(), got.end()) == window_of(samples, spec, start));
      }
      recording.window(n);
      CHECK(recording.ended());
      CHECK(recording.n_samples() == n);
    }
  }
}

TEST_CASE("recording: a sample that is not finite is named") {
  std::vector<float> samples = ramp(100000);
  samples[90001] = std::numeric_limits<float>::quiet_NaN();
  Slow source(samples);
  Recording recording(source, test::tiny_spec());
  recording.window(0);
  CHECK_THROWS_WITH_AS(recording.window(84000), doctest::Contains("slow: sample 90001 (at 5.625"), Error);
}

TEST_CASE("audio sources: files, files in memory, samples and pipes can be read again") {
  const test::TempFolder folder;
  const std::vector<float> samples = ramp(70001);
  const std::string bytes = wav_file(samples);
  test::write_file(folder / "a.wav", bytes);
  REQUIRE(::mkfifo((folder / "pipe").c_str(), 0600) == 0);
  std::thread writer([&] { // a pipe gives its bytes once
    std::ofstream out(folder / "pipe", std::ios::binary);
    out.write(bytes.data(), std::streamsize(bytes.size()));
  });
  const auto pipe = AudioSource::open(folder / "pipe");
  writer.join();
  const auto file = AudioSource::open(folder / "a.wav");
  const auto memory = AudioSource::open(std::as_bytes(std::span(bytes)), "memory.wav");
  const auto of = AudioSource::of(samples);
  for (AudioSource *source : {file.get(), memory.get(), of.get(), pipe.get()}) {
    CAPTURE(source->name());
    for (int round = 0; round < 2; ++round) {
      CHECK(read_all(*source) == samples);
      source->rewind();
      std::vector<float> some(50);
      CHECK(source->read(some) == 50);
    }
  }
  CHECK(file->name() == folder / "a.wav");
  CHECK_THROWS_AS(AudioSource::open(folder / "none.wav"), Error);
  CHECK_THROWS_AS(AudioSource::open(folder.path()), Error);
}
