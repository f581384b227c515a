#include "tasks/transcribe.h"

#include <algorithm>
#include <filesystem>

namespace fovea {
namespace {

constexpr size_t kBlockSamples = 65536;
constexpr double kMaxKeptSeconds = 24 * 3600.0;

/// A file, opened anew for each reading.
class FileSource final : public AudioSource {
public:
  FileSource(std::string path, uint32_t rate_hz)
      : path_(std::move(path)), rate_hz_(rate_hz), reader_(path_, rate_hz) {}
  void rewind() override {
    if (touched_) reader_ = AudioReader(path_, rate_hz_);
    touched_ = false;
  }
  size_t read(std::span<float> samples) override {
    touched_ = true;
    return reader_.read(samples);
  }
  std::string name() const override { return path_; }

private:
  std::string path_;
  uint32_t rate_hz_;
  AudioReader reader_;
  bool touched_ = false;
};

class EncodedSource final : public AudioSource {
public:
  EncodedSource(std::span<const std::byte> file, std::string name, uint32_t rate_hz)
      : file_(file), name_(std::move(name)), rate_hz_(rate_hz), reader_(file_, name_, rate_hz) {}
  void rewind() override { reader_ = AudioReader(file_, name_, rate_hz_); }
  size_t read(std::span<float> samples) override { return reader_.read(samples); }
  std::string name() const override { return name_; }

private:
  std::span<const std::byte> file_;
  std::string name_;
  uint32_t rate_hz_;
  AudioReader reader_;
};

/// What can be read once only: its samples are kept as they come.
class KeptSource final : public AudioSource {
public:
  KeptSource(const std::string &path, uint32_t rate_hz)
      : name_(path == "-" ? "standard input" : path), reader_(path, rate_hz) {}
  void rewind() override { at_ = 0; }
  size_t read(std::span<float> samples) override {
    while (!ended_ && kept_.size() - at_ < samples.size()) {
      const size_t before = kept_.size();
      kept_.resize(before + kBlockSamples);
      const size_t n = reader_.read(std::span(kept_).subspan(before));
      kept_.resize(before + n);
      ended_ = n < kBlockSamples;
      if (double(kept_.size()) > kMaxKeptSeconds * reader_.rate_hz())
        fail(ErrorCode::InvalidArgument, name(), ": longer than ", kMaxKeptSeconds / 3600,
             " hours; give it as a file");
    }
    const size_t n = std::min(samples.size(), kept_.size() - at_);
    std::copy_n(kept_.begin() + std::ptrdiff_t(at_), n, samples.begin());
    at_ += n;
    return n;
  }
  std::string name() const override { return name_; }

private:
  std::string name_;
  AudioReader reader_;
  std::vector<float> kept_;
  size_t at_ = 0;
  bool ended_ = false;
};

} // namespace

std::unique_ptr<AudioSource> AudioSource::open(const std::string &path, uint32_t rate_hz) {
  // A pipe, also one with a name, gives its bytes once.
  std::error_code ignored;
  const auto type = std::filesystem::status(path, ignored).type();
  if (path == "-" || type == std::filesystem::file_type::fifo ||
      type == std::filesystem::file_type::character)
    return std::make_unique<KeptSource>(path, rate_hz);
  return std::make_unique<FileSource>(path, rate_hz);
}

std::unique_ptr<AudioSource> AudioSource::open(std::span<const std::byte> file, std::string name,
                                               uint32_t rate_hz) {
  return std::make_unique<EncodedSource>(file, std::move(name), rate_hz);
}

} // namespace fovea
