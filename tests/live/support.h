// What the tests of live transcription share: a model that hears what it is told (tiny_ctc_model.h) at a rate
// that sound devices have, recordings for it, and the tool while it runs.
#pragma once

#include "api/tool.h"
#include "support/tiny_ctc_model.h"

#include <csignal>
#include <fcntl.h>
#include <optional>
#include <poll.h>
#include <unistd.h>
#include <utility>

namespace fovea::test {

inline constexpr uint32_t kLiveScale = 16, kLiveRate = 1000 * kLiveScale;

inline std::string live_model() {
  static const TempFolder folder;
  const std::string path = folder / "live.gguf";
  if (!std::filesystem::exists(path)) write_tiny_ctc_model(path, {{}, {}, kLiveScale});
  return path;
}

/// The words' sound after half a second of silence: tokens as ctc_tokens() gives them; . is 20 ms of silence.
inline std::vector<float> live_sound(const std::string &text) {
  std::vector<float> samples(kLiveRate / 2);
  for (const float v : ctc_sound(ctc_tokens(text))) samples.insert(samples.end(), kLiveScale, v);
  return samples;
}

/// Sentences of some words with pauses of 0.8 s.
inline std::string live_sentences(size_t n) {
  const std::string words[] = {"ABCDEFG", "BAD", "CAFE", "DEAF", "FACADE", "GAFF", "HEAD", "IDEAL"};
  std::string text;
  for (size_t i = 0; i < n; ++i) {
    for (size_t k = 0; k < 4; ++k) text += words[(3 * i + k * k) % 8] + " ";
    text += std::string(14, '.'); // 40 ms and a blank each
  }
  return text;
}

inline void write_wav(const std::string &path, const std::vector<float> &samples, uint32_t rate = kLiveRate) {
  const auto u32 = [](uint32_t v) { return std::string(reinterpret_cast<const char *>(&v), 4); };
  const auto n_bytes = uint32_t(samples.size() * 4);
  write_file(path, "RIFF" + u32(36 + n_bytes) + "WAVEfmt " + u32(16) + std::string("\3\0\1\0", 4) +
                       u32(rate) + u32(4 * rate) + std::string("\4\0\40\0", 4) + "data" + u32(n_bytes) +
                       std::string(reinterpret_cast<const char *>(samples.data()), n_bytes));
}

/// The tool in a process of its own, whose lines are read as they come. Killed when this ends before it.
class Running {
public:
  Running(const std::vector<std::string> &arguments, const std::string &alsa_config = "") {
    int fds[2];
    REQUIRE(pipe2(fds, O_CLOEXEC) == 0);
    std::vector<char *> argv = {const_cast<char *>("fovea")};
    for (const std::string &a : arguments) argv.push_back(const_cast<char *>(a.c_str()));
    argv.push_back(nullptr);
    const std::string err = folder_ / "err";
    pid_ = fork();
    REQUIRE(pid_ >= 0);
    if (pid_ == 0) {
      dup2(fds[1], STDOUT_FILENO);
      dup2(open(err.c_str(), O_WRONLY | O_CREAT, 0600), STDERR_FILENO);
      if (!alsa_config.empty()) setenv("ALSA_CONFIG_PATH", alsa_config.c_str(), 1);
      execv(FOVEA_TOOL, argv.data());
      _exit(99);
    }
    close(fds[1]);
    out_ = fds[0];
  }
  ~Running() {
    if (pid_ > 0) kill(pid_, SIGKILL);
    if (pid_ > 0) waitpid(pid_, nullptr, 0);
    close(out_);
  }
  Running(const Running &) = delete;
  Running &operator=(const Running &) = delete;

  /// The next line; nothing at the end, or when none comes for a minute (or `seconds`).
  std::optional<std::string> line(int seconds = 60) {
    for (;;) {
      if (const size_t end = read_.find('\n'); end != std::string::npos) {
        std::string first = read_.substr(0, end);
        read_.erase(0, end + 1);
        return first;
      }
      pollfd ready = {out_, POLLIN, 0};
      char bytes[4096];
      if (poll(&ready, 1, seconds * 1000) <= 0) return {};
      const ssize_t n = read(out_, bytes, sizeof bytes);
      if (n <= 0) return {};
      read_.append(bytes, size_t(n));
    }
  }
  void interrupt() { kill(pid_, SIGINT); }
  bool ended() const {
    siginfo_t info{};
    return waitid(P_PID, id_t(pid_), &info, WEXITED | WNOHANG | WNOWAIT) != 0 || info.si_pid == pid_;
  }
  /// Exit code, or 128 + the signal's number.
  int wait() {
    int status = 0;
    waitpid(std::exchange(pid_, -1), &status, 0);
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
  }
  std::string err() const { return read_file(folder_ / "err"); }

private:
  TempFolder folder_;
  pid_t pid_ = -1;
  int out_ = -1;
  std::string read_;
};

} // namespace fovea::test
