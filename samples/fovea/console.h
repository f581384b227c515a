// What the commands share: errors, interruption, progress on stderr, output files that appear whole or not at
// all.
#pragma once

#include <fovea/fovea.hpp>

#include <chrono>
#include <initializer_list>
#include <string>
#include <string_view>
#include <vector>

namespace tool {

// Exit codes, as docs/command-line.md lists them.
inline constexpr int kOk = 0, kError = 1, kUsage = 2;

/// The command line asks for something that cannot be meant: exit code 2.
struct UsageError : std::runtime_error {
  using std::runtime_error::runtime_error;
};

/// Throws fovea::Error with the parts joined.
[[noreturn]] void fail(fovea_status status, std::initializer_list<std::string_view> parts);
/// "fovea: error: …" on stderr, on one line.
void print_error(std::string_view message);

/// After this, Ctrl-C and SIGTERM request interrupted().get(); a second one ends the process at once.
void catch_interrupts();
fovea::Cancel &interrupt();
/// 130 after Ctrl-C, 143 after SIGTERM, else 0.
int interrupt_exit_code();

/// A bar on stderr while something takes long; silent when stderr is no terminal.
class ProgressBar {
public:
  explicit ProgressBar(std::string label);
  ~ProgressBar() { clear(); }
  ProgressBar(const ProgressBar &) = delete;
  ProgressBar &operator=(const ProgressBar &) = delete;
  void show(double done, double total, std::string_view detail = {});
  /// Takes the bar off the terminal, so that something else can be printed.
  void clear();

private:
  std::string label_;
  bool enabled_, shown_ = false;
  std::chrono::steady_clock::time_point last_{};
};

/// A file that gets its name at commit(): nothing is left when that never comes, not even after kill -9 (but
/// where the file system has no nameless files: there a PATH.part-XXXXXX stays). Pipes and devices are
/// written to as they are.
class OutputFile {
public:
  explicit OutputFile(std::string path);
  ~OutputFile();
  OutputFile(const OutputFile &) = delete;
  OutputFile &operator=(const OutputFile &) = delete;
  void write(std::string_view bytes);
  void commit();

private:
  [[noreturn]] void fail_io(const char *what) const;
  bool open_nameless();
  bool link_into_place();
  std::string path_, temporary_;
  bool nameless_ = false;
  int fd_ = -1;
};

/// UsageError when `output` is one of the files that are read, under any name or by a link; - is what
/// standard input comes from. `option` is what names the output.
void refuse_input(const std::string &output, const std::vector<std::string> &inputs,
                  const char *option = "-o");

/// Writes to stdout and flushes; Error IO when that fails (a closed pipe, a full disk).
void print(std::string_view text);

/// printf into a string.
[[gnu::format(printf, 1, 2)]] std::string format(const char *pattern, ...);
/// "12.3 MB"
std::string bytes_text(double bytes);
/// NAME=NUMBER. UsageError otherwise.
std::pair<std::string, uint64_t> parse_assignment(const std::string &text, const char *option);

/// The device that --device names; empty: FOVEA_DEVICE or the best.
fovea::Device open_device(const std::string &selector);
/// The model file, or a bundled model by its name, to be compared with its checksum before use unless
/// `verify` is false (--no-verify).
fovea::Model open_model(const std::string &path, bool verify);

} // namespace tool
