#include "audio/audio.h"
#include "base/error.h"
#include "tests/support/shared_folder.h"

#include <cmath>
#include <cstring>
#include <doctest/doctest.h>
#include <fcntl.h>
#include <fstream>
#include <limits>
#include <numbers>
#include <random>
#include <sndfile.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <thread>
#include <unistd.h>

using namespace fovea;

/// Not ours: libsndfile 1.2.0 leaks 6 KB per Vorbis file that it refuses to open (a program of sf_open alone
/// shows it).
extern "C" __attribute__((visibility("default"))) const char *__lsan_default_suppressions();
const char *__lsan_default_suppressions() { return "leak:vorbis_info_init\n"; }

namespace {
struct Folder {
  Folder() : path(std::filesystem::temp_directory_path() / ("fovea_audio_" + std::to_string(::getpid()))) {
    std::filesystem::create_directories(path);
  }
  ~Folder() { std::filesystem::remove_all(path); }
  std::string operator/(const std::string &name) const { return (path / name).string(); }
  std::filesystem::path path;
};

template <class T> void put(std::string &out, T value) {
  out.append(reinterpret_cast<const char *>(&value), sizeof value);
}

constexpr uint16_t kPcm = 1, kFloat = 3;

struct WavHeader {
  uint16_t format = kPcm, channels = 1;
  uint32_t rate = 16000;
  uint16_t bits = 16;
  uint32_t claimed_bytes = 0; // 0: the truth
};

std::string wav(WavHeader h, const std::string &data) {
  const uint32_t n = h.claimed_bytes ? h.claimed_bytes : uint32_t(data.size());
  std::string out = "RIFF";
  put(out, uint32_t(n > 0xFFFFFF00 ? 0xFFFFFFFF : n + 36));
  out += "WAVEfmt ";
  put(out, uint32_t(16));
  put(out, h.format);
  put(out, h.channels);
  put(out, h.rate);
  put(out, uint32_t(h.rate * h.channels * h.bits / 8));
  put(out, uint16_t(h.channels * h.bits / 8));
  put(out, h.bits);
  out += "data";
  put(out, n);
  return out + data;
}

template <class T> std::string samples(const std::vector<T> &values) {
  std::string out;
  for (const T value : values) put(out, value);
  return out;
}

std::span<const std::byte> bytes_of(const std::string &text) {
  return std::as_bytes(std::span(text.data(), text.size()));
}

Audio read(const std::string &file, uint32_t rate_hz = 16000) {
  return read_audio(bytes_of(file), "x.wav", rate_hz);
}

std::string error_of(const std::string &file) {
  try {
    read(file);
  } catch (const Error &error) {
    CHECK(std::strchr(error.what(), '\n') == nullptr);
    return error.what();
  }
  return "no error";
}

void write_file(const std::string &path, const std::string &bytes) {
  std::ofstream(path, std::ios::binary) << bytes;
}

std::string file_bytes(const std::string &path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

/// A sine of `hz` and amplitude 0.5, encoded by libsndfile.
void encode_sine(const std::string &path, int format, int rate, int channels, double hz, double seconds) {
  SF_INFO info{};
  info.samplerate = rate;
  info.channels = channels;
  info.format = format;
  SNDFILE *file = sf_open(path.c_str(), SFM_WRITE, &info);
  REQUIRE_MESSAGE(file != nullptr, sf_strerror(nullptr));
  std::vector<float> data;
  for (int i = 0; i < int(seconds * rate); ++i)
    for (int c = 0; c < channels; ++c)
      data.push_back(float(0.5 * std::sin(2 * std::numbers::pi * hz * i / rate)));
  REQUIRE(sf_writef_float(file, data.data(), sf_count_t(data.size()) / channels) ==
          sf_count_t(data.size()) / channels);
  sf_close(file);
}

/// Root-mean-square of (samples − the same sine), away from the ends.
double sine_error(const Audio &audio, double hz) {
  const size_t margin = audio.rate_hz / 10;
  double sum = 0;
  for (size_t i = margin; i + margin < audio.samples.size(); ++i)
    sum +=
        std::pow(audio.samples[i] - 0.5 * std::sin(2 * std::numbers::pi * hz * double(i) / audio.rate_hz), 2);
  return std::sqrt(sum / double(audio.samples.size() - 2 * margin));
}
/// Sends standard error elsewhere: libmpg123 writes a line per damaged frame.
struct QuietStderr {
  QuietStderr() : kept(::dup(STDERR_FILENO)) {
    const int null = ::open("/dev/null", O_WRONLY);
    ::dup2(null, STDERR_FILENO);
    ::close(null);
  }
  ~QuietStderr() {
    ::dup2(kept, STDERR_FILENO);
    ::close(kept);
  }
  int kept;
};
} // namespace

TEST_CASE("audio: integer samples at the same rate are exact") {
  const Audio audio = read(wav({}, samples<int16_t>({0, 16384, -32768, 32767})));
  CHECK(audio.rate_hz == 16000);
  CHECK(audio.samples == std::vector<float>{0, 0.5f, -1, 32767.f / 32768});
}

TEST_CASE("audio: channels are averaged, floats outside [-1, 1] are kept") {
  CHECK(read(wav({.channels = 2}, samples<int16_t>({16384, 0, -16384, 16384}))).samples ==
        std::vector<float>{0.25f, 0});
  CHECK(read(wav({.format = kFloat, .bits = 32}, samples<float>({3.5f, -2, 0.1f}))).samples ==
        std::vector<float>{3.5f, -2, 0.1f});
  CHECK(read(wav({.format = kFloat, .channels = 3, .bits = 32}, samples<float>({3e29f, 3e29f, 9e29f})))
            .samples[0] == doctest::Approx(5e29));
}

TEST_CASE("audio: the containers and codecs users have, resampled without delay") {
  const Folder folder;
  struct Row {
    const char *name;
    int format, rate, channels;
    double tolerance; // RMS, of a signal whose RMS is 0.35
  };
  const Row rows[] = {
      {"a.wav", SF_FORMAT_WAV | SF_FORMAT_PCM_16, 16000, 1, 2e-5},
      {"b.wav", SF_FORMAT_WAV | SF_FORMAT_FLOAT, 44100, 2, 1e-5},
      {"c.wav", SF_FORMAT_WAV | SF_FORMAT_PCM_24, 48000, 6, 1e-5},
      {"d.wav", SF_FORMAT_WAV | SF_FORMAT_FLOAT, 8000, 1, 1e-5},
      {"e.wav", SF_FORMAT_WAV | SF_FORMAT_FLOAT, 22051, 1, 1e-5},
      {"f.flac", SF_FORMAT_FLAC | SF_FORMAT_PCM_16, 44100, 2, 2e-5},
      {"g.ogg", SF_FORMAT_OGG | SF_FORMAT_VORBIS, 44100, 2, 2e-2},
      {"h.opus", SF_FORMAT_OGG | SF_FORMAT_OPUS, 48000, 1, 2e-2},
      {"i.mp3", SF_FORMAT_MPEG | SF_FORMAT_MPEG_LAYER_III, 44100, 2, 2e-2},
      {"j.aiff", SF_FORMAT_AIFF | SF_FORMAT_PCM_16, 32000, 1, 2e-5},
  };
  for (const Row &row : rows) {
    CAPTURE(row.name);
    const std::string path = folder / row.name;
    encode_sine(path, row.format, row.rate, row.channels, 440, 3);
    const Audio from_file = read_audio(path);
    CHECK(std::abs(double(from_file.samples.size()) - 48000) <= 2);
    CHECK(sine_error(from_file, 440) < row.tolerance);
    CHECK(read_audio(bytes_of(file_bytes(path)), row.name).samples == from_file.samples);
    const AudioReader reader(path);
    CHECK(reader.source_rate_hz() == uint32_t(row.rate));
    CHECK(reader.source_channels() == uint32_t(row.channels));
    CHECK(reader.claimed_duration_s() == doctest::Approx(3).epsilon(0.01));
  }
}

TEST_CASE("audio: what is above half the rate goes") {
  const Folder folder;
  encode_sine(folder / "high.wav", SF_FORMAT_WAV | SF_FORMAT_FLOAT, 48000, 1, 11000, 1);
  double peak = 0;
  const Audio audio = read_audio(folder / "high.wav");
  for (size_t i = 1600; i + 1600 < audio.samples.size(); ++i)
    peak = std::max(peak, std::abs(double(audio.samples[i])));
  CHECK(peak < 1e-4);
}

TEST_CASE("audio: blocks of any size give the same samples") {
  const Folder folder;
  for (const int rate : {16000, 44100}) {
    encode_sine(folder / "a.wav", SF_FORMAT_WAV | SF_FORMAT_PCM_16, rate, 2, 300, 5);
    const Audio whole = read_audio(folder / "a.wav");
    for (const size_t block : {1, 7, 160, 4097, 1000000}) {
      AudioReader reader(folder / "a.wav");
      std::vector<float> all, part(block);
      for (size_t n; (n = reader.read(part)) > 0;) {
        all.insert(all.end(), part.begin(), part.begin() + long(n));
        if (n < block) break;
      }
      CHECK(reader.read(part) == 0);
      REQUIRE(all.size() == whole.samples.size());
      double worst = 0;
      for (size_t i = 0; i < all.size(); ++i)
        worst = std::max(worst, std::abs(double(all[i] - whole.samples[i])));
      CHECK(worst < 1e-6);
    }
  }
}

TEST_CASE("audio: pipes, and standard input") {
  const Folder folder;
  encode_sine(folder / "a.flac", SF_FORMAT_FLAC | SF_FORMAT_PCM_16, 16000, 1, 440, 2);
  const std::string file = file_bytes(folder / "a.flac");
  const Audio expected = read_audio(folder / "a.flac");
  const std::string fifo = folder / "fifo";
  REQUIRE(::mkfifo(fifo.c_str(), 0600) == 0);
  {
    std::thread writer([&] { write_file(fifo, file); });
    CHECK(read_audio(fifo).samples == expected.samples);
    writer.join();
  }
  const int kept = ::dup(STDIN_FILENO);
  {
    const int fd = ::open((folder / "a.flac").c_str(), O_RDONLY);
    REQUIRE(::dup2(fd, STDIN_FILENO) == STDIN_FILENO);
    ::close(fd);
    CHECK(read_audio("-").samples == expected.samples);
  }
  {
    std::thread writer([&] { write_file(fifo, "no sound here"); });
    const int fd = ::open(fifo.c_str(), O_RDONLY);
    REQUIRE(::dup2(fd, STDIN_FILENO) == STDIN_FILENO);
    ::close(fd);
    CHECK_THROWS_WITH_AS((void)read_audio("-"),
                         doctest::Contains("standard input: cannot be read as audio (WAV, FLAC, OGG, MP3"),
                         Error);
    writer.join();
  }
  ::dup2(kept, STDIN_FILENO);
  ::close(kept);
}

TEST_CASE("audio: a WAV whose header says \"until the end\", as encoders write to pipes") {
  CHECK(read(wav({.claimed_bytes = 0xFFFFFFFF}, samples<int16_t>({0, 16384, 0}))).samples.size() == 3);
}

TEST_CASE("audio: a WAV that ends before its header says is broken there, unless it may be a stream") {
  const std::string data = samples(std::vector<int16_t>(16000, 100)),
                    cut = wav({.claimed_bytes = 3200000}, data);
  CHECK(error_of(cut) == "x.wav: broken after 1.000 s: the file ends 3168000 bytes before its header says");
  // Chunks before and after; of odd lengths, too.
  const std::string odd = "LIST" + samples<uint32_t>({3}) + "abc" + '\0';
  CHECK(error_of(cut.substr(0, 36) + odd + cut.substr(36)).find("ends 3168000 bytes before") !=
        std::string::npos);
  CHECK(read(wav({}, data) + odd).samples.size() == 16000);
  for (const uint32_t claimed : {0x7FFFF000u, 0x7FFFFFFFu, 0x80000000u, 0xFFFFFFFFu})
    CHECK(read(wav({.claimed_bytes = claimed}, data)).samples.size() == 16000);
  CHECK(read(wav({.claimed_bytes = 32000 + 44}, data)).samples.size() == 16000); // the header counted as well

  const Folder folder;
  write_file(folder / "cut.wav", cut);
  CHECK_THROWS_WITH_AS((void)read_audio(folder / "cut.wav"),
                       doctest::Contains("cut.wav: broken after 1.000 s"), Error);
  const int kept = ::dup(STDIN_FILENO), file = ::open((folder / "cut.wav").c_str(), O_RDONLY);
  REQUIRE(file >= 0);
  ::dup2(file, STDIN_FILENO);
  ::close(file);
  CHECK(read_audio("-").samples.size() == 16000);
  ::dup2(kept, STDIN_FILENO);
  ::close(kept);
}

TEST_CASE("audio: what is no audio is a one-line error that names it") {
  const Folder folder;
  write_file(folder / "empty.wav", "");
  write_file(folder / "text.wav", "Once upon a time there was no sound in this file.\n");
  CHECK_THROWS_WITH_AS((void)read_audio(folder / "absent.wav"), doctest::Contains("absent.wav: No such file"),
                       Error);
  CHECK_THROWS_WITH_AS((void)read_audio(folder / ""), doctest::Contains(": is a folder, not an audio file"),
                       Error);
  CHECK_THROWS_WITH_AS((void)read_audio(folder / "empty.wav"),
                       doctest::Contains("empty.wav: the file is empty"), Error);
  CHECK_THROWS_WITH_AS((void)read_audio(folder / "text.wav"),
                       doctest::Contains("text.wav: cannot be read as audio"), Error);
  CHECK_THROWS_WITH_AS((void)read_audio("/dev/null"), "/dev/null: is a device, not an audio file", Error);
  CHECK(error_of("") == "x.wav: the file is empty");
  CHECK(error_of(wav({}, "")) == "x.wav: holds no samples");
  std::mt19937 random(5);
  std::string noise;
  for (int i = 0; i < 100000; ++i) noise += char(random());
  CHECK(error_of(noise).find("x.wav: ") == 0);
  CHECK(error_of(std::string(100000, '\0')).find("x.wav: ") == 0);
}

TEST_CASE("audio: samples that are no numbers are named by their time") {
  std::vector<float> values(200000, 0.1f);
  values[160001] = std::numeric_limits<float>::quiet_NaN();
  CHECK(error_of(wav({.format = kFloat, .channels = 2, .bits = 32}, samples(values))) ==
        "x.wav: the sample at 5.000 s (frame 80000, channel 2) is not a number");
  values[160001] = -std::numeric_limits<float>::infinity();
  CHECK(error_of(wav({.format = kFloat, .bits = 32}, samples(values))).find("is infinite") !=
        std::string::npos);
  values[160001] = 1e35f;
  CHECK(error_of(wav({.format = kFloat, .bits = 32}, samples(values))).find("beyond 1e30") !=
        std::string::npos);
  CHECK(error_of(wav({.format = kFloat, .bits = 64}, samples<double>({0, 1e300}))).find("infinite") !=
        std::string::npos);
}

TEST_CASE("audio: absurd headers are errors, or read as far as there is sound, in bounded memory") {
  const std::string data = samples<int16_t>({1, 2, 3, 4});
  CHECK(error_of(wav({.channels = 0}, data)).find("x.wav: ") == 0);
  CHECK(error_of(wav({.channels = 65535}, data)).find("x.wav: ") == 0);
  CHECK(error_of(wav({.channels = 500}, std::string(10000, 'a'))).find("500 channels, expected 1 to 256") !=
        std::string::npos);
  CHECK(error_of(wav({.rate = 0}, data)).find("x.wav: ") == 0);
  CHECK(error_of(wav({.rate = 4'000'000'000}, data)).find("x.wav: ") == 0);
  CHECK(error_of(wav({.rate = 1}, data)) == "x.wav: sample rate of 1 Hz, expected 1000 to 1000000");
  CHECK(error_of(wav({.bits = 0}, data)).find("x.wav: ") == 0);
  CHECK(error_of(wav({.bits = 77}, data)).find("x.wav: ") == 0);
  CHECK_THROWS_AS((void)read(wav({}, data), 0), Error);
  CHECK_THROWS_AS((void)read(wav({}, data), 4'000'000'000), Error);
  CHECK_THROWS_WITH_AS(
      (void)read_audio(bytes_of(wav({}, samples(std::vector<int16_t>(20000)))), "x.wav", 16000, 1),
      "x.wav: longer than 1 s; split it", Error);

  rusage before{}, after{};
  ::getrusage(RUSAGE_SELF, &before);
  // 2^30 samples claimed in WAV; 2^62 frames claimed in RF64, where sizes have 64 bits.
  const size_t n_claimed = read(wav({.claimed_bytes = 0x7FFFFFFE}, data)).samples.size();
  CHECK(n_claimed <= 4);
  std::string rf64 = "RF64";
  put(rf64, uint32_t(0xFFFFFFFF));
  rf64 += "WAVEds64";
  put(rf64, uint32_t(28));
  for (const uint64_t claimed : {uint64_t(1) << 62, uint64_t(1) << 62, uint64_t(1) << 62}) put(rf64, claimed);
  put(rf64, uint32_t(0));
  std::string chunks = wav({.claimed_bytes = 0xFFFFFFFF}, data).substr(12);
  const std::string answer = error_of(rf64 + chunks);
  CHECK((answer == "no error" ||
         answer.find("x.wav: ") == 0)); // libsndfile versions differ; memory is the point
  ::getrusage(RUSAGE_SELF, &after);
  CHECK(after.ru_maxrss - before.ru_maxrss < 32 * 1024); // KiB
}

TEST_CASE("audio: cut and damaged files give sound or an error, nothing else") {
  const Folder folder;
  std::mt19937 random(9);
  MESSAGE("seed 9");
  const std::pair<const char *, int> formats[] = {{"a.wav", SF_FORMAT_WAV | SF_FORMAT_PCM_16},
                                                  {"a.flac", SF_FORMAT_FLAC | SF_FORMAT_PCM_16},
                                                  {"a.ogg", SF_FORMAT_OGG | SF_FORMAT_VORBIS},
                                                  {"a.mp3", SF_FORMAT_MPEG | SF_FORMAT_MPEG_LAYER_III}};
  for (const auto &row : formats) {
    const char *name = row.first;
    const int format = row.second;
    encode_sine(folder / name, format, 16000, 1, 440, 0.5);
    const std::string whole = file_bytes(folder / name);
    const QuietStderr quiet;
    const auto check = [&](const std::string &file) {
      try {
        const Audio audio = read_audio(bytes_of(file), name);
        for (const float sample : audio.samples) REQUIRE(std::isfinite(sample));
        CHECK(audio.samples.size() > 0);
      } catch (const Error &error) {
        CHECK(std::string(error.what()).find(name) == 0);
      }
    };
    for (size_t n = 1; n < whole.size(); n += n < 200 ? 1 : 97) check(whole.substr(0, n));
    for (int i = 0; i < 150; ++i) {
      std::string damaged = whole;
      for (int k = 0; k < 4; ++k)
        damaged[random() % (random() % 2 ? std::min<size_t>(120, whole.size()) : whole.size())] =
            char(random());
      check(damaged);
    }
  }
}

TEST_CASE("audio: recordings") {
  const std::string folder = test::shared_path("audio");
  if (folder.empty()) return;
  CHECK(read_audio(folder + "/jfk.wav").duration_s() == doctest::Approx(11).epsilon(0.001));
  const Audio flac = read_audio(folder + "/84-121550-0000.flac");
  CHECK(flac.samples.size() > 16000);
}
