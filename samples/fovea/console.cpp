#include "console.h"

#include "bundled_models.h"

#include <atomic>
#include <cerrno>
#include <charconv>
#include <csignal>
#include <cstdarg>
#include <cstdio>
#include <cstring>
#include <fcntl.h>
#include <filesystem>
#include <sys/stat.h>
#include <unistd.h>
#include <utility>

namespace tool {
namespace {

fovea_cancel *g_cancel = nullptr; // for the signal handler
std::atomic<int> g_signal{0};

/// `call` again for as long as a signal interrupts it.
template <class Call> auto uninterrupted(Call &&call) {
  for (;;)
    if (const auto result = call(); result >= 0 || errno != EINTR) return result;
}

std::string own_link(int fd) { return "/proc/self/fd/" + std::to_string(fd); }

void on_signal(int signal) {
  g_signal = signal;
  fovea_cancel_request(g_cancel);
}

} // namespace

void fail(fovea_status status, std::initializer_list<std::string_view> parts) {
  std::string message;
  for (const std::string_view part : parts) message += part;
  throw fovea::Error(status, message);
}

void print_error(std::string_view message) {
  char line[1024] = "fovea: error: "; // no memory is asked for: there may be none
  size_t n = std::strlen(line);
  const auto flush = [&] { std::fwrite(line, 1, std::exchange(n, 0), stderr); };
  for (const char c : message) {
    if (n + 2 > sizeof line) flush();
    const bool is_plain = static_cast<unsigned char>(c) >= 0x20 && c != 0x7f;
    line[n++] = c == '\n' ? ';' : is_plain ? c : '?';
    if (c == '\n') line[n++] = ' ';
  }
  if (n == sizeof line) flush();
  line[n++] = '\n';
  flush();
}

fovea::Cancel &interrupt() {
  // Never destroyed: a signal may come while the process is ending.
  static auto *const cancel = new fovea::Cancel(fovea::Cancel::create().value());
  return *cancel;
}

void catch_interrupts() {
  g_cancel = interrupt().get();
  struct sigaction action {};
  action.sa_handler = on_signal;
  action.sa_flags = int(SA_RESETHAND); // the second time, the default action ends the process
  sigaction(SIGINT, &action, nullptr);
  sigaction(SIGTERM, &action, nullptr);
  signal(SIGXFSZ, SIG_IGN); // a file larger than ulimit -f allows is an error of write()
}

int interrupt_exit_code() { return g_signal ? 128 + g_signal : 0; }

ProgressBar::ProgressBar(std::string label)
    : label_(std::move(label)), enabled_(isatty(STDERR_FILENO) == 1) {}

void ProgressBar::show(double done, double total, std::string_view detail) {
  const auto now = std::chrono::steady_clock::now();
  if (!enabled_ || (shown_ && now - last_ < std::chrono::milliseconds(100))) return;
  last_ = now;
  shown_ = true;
  constexpr int kWidth = 30;
  const double part = total > 0 ? std::min(1.0, std::max(0.0, done / total)) : 0.0;
  std::string bar(size_t(part * kWidth), '#');
  bar.resize(kWidth, '.');
  std::fprintf(stderr, "\r\033[K%s [%s] %3.0f%% %.*s", label_.c_str(), bar.c_str(), part * 100,
               int(detail.size()), detail.data());
  std::fflush(stderr);
}

void ProgressBar::clear() {
  if (shown_) std::fputs("\r\033[K", stderr);
  shown_ = false;
}

OutputFile::OutputFile(std::string path) : path_(std::move(path)) {
  namespace fs = std::filesystem;
  std::error_code error;
  const fs::file_status status = fs::status(path_, error);
  if (fs::is_directory(status)) fail(FOVEA_IO, {path_, ": is a folder"});
  if (fs::exists(status) && !fs::is_regular_file(status)) {
    // A pipe or a device, which a rename would replace.
    fd_ = uninterrupted([&] { return open(path_.c_str(), O_WRONLY | O_CLOEXEC); });
    if (fd_ < 0) fail_io("cannot be opened");
    return;
  }
  if (fs::exists(status)) path_ = fs::canonical(path_).string(); // a link stays one
  if (open_nameless()) return;
  fd_ = uninterrupted([&] {
    temporary_ = path_ + ".part-XXXXXX"; // beside it: renames do not cross file systems
    return mkostemp(temporary_.data(), O_CLOEXEC);
  });
  if (fd_ < 0) {
    temporary_.clear();
    fail_io("cannot be created");
  }
  const mode_t mask = umask(0);
  umask(mask);
  fchmod(fd_, 0666 & ~mask); // as any new file; mkostemp's is private
}

bool OutputFile::open_nameless() {
#if defined(O_TMPFILE) && !defined(__ANDROID__)
  const std::filesystem::path parent = std::filesystem::path(path_).parent_path();
  const char *const folder = parent.empty() ? "." : parent.c_str();
  fd_ = uninterrupted([&] { return open(folder, O_TMPFILE | O_RDWR | O_CLOEXEC, 0666); });
  struct stat status {};
  nameless_ = fd_ >= 0 && stat(own_link(fd_).c_str(), &status) == 0;
  if (fd_ >= 0 && !nameless_) close(std::exchange(fd_, -1));
#endif
  return nameless_;
}

/// Gives the nameless file its name. False when there is a file of that name: then it got one to rename from.
bool OutputFile::link_into_place() {
  const std::string from = own_link(fd_);
  const auto link = [&](const std::string &to) {
    return linkat(AT_FDCWD, from.c_str(), AT_FDCWD, to.c_str(), AT_SYMLINK_FOLLOW) == 0;
  };
  if (link(path_)) return true;
  for (int attempt = 0; attempt < 100 && errno == EEXIST; ++attempt) {
    std::string name = path_ + ".part-" + std::to_string(getpid()) + "-" + std::to_string(attempt);
    if (!link(name)) continue;
    temporary_ = std::move(name);
    return false;
  }
  fail_io("cannot be created");
}

OutputFile::~OutputFile() {
  if (fd_ >= 0) close(fd_);
  if (!temporary_.empty()) unlink(temporary_.c_str());
}

void OutputFile::fail_io(const char *what) const {
  fail(FOVEA_IO, {path_, ": ", what, ": ", std::strerror(errno)});
}

void OutputFile::write(std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t n = uninterrupted([&] { return ::write(fd_, bytes.data(), bytes.size()); });
    if (n < 0) fail_io("cannot be written");
    bytes.remove_prefix(size_t(n));
  }
}

void OutputFile::commit() {
  if ((nameless_ || !temporary_.empty()) && uninterrupted([&] { return fsync(fd_); }) != 0)
    fail_io("cannot be written");
  if (nameless_) link_into_place();
  if (close(std::exchange(fd_, -1)) != 0 && errno != EINTR) // interrupted or not, it is closed
    fail_io("cannot be written");
  if (!temporary_.empty() && rename(temporary_.c_str(), path_.c_str()) != 0) fail_io("cannot be replaced");
  temporary_.clear();
}

void refuse_input(const std::string &output, const std::vector<std::string> &inputs, const char *option) {
  namespace fs = std::filesystem;
  std::error_code ignored;
  if (!fs::is_regular_file(output, ignored)) return; // devices and pipes are both: a terminal
  for (const std::string &input : inputs)
    if (fs::equivalent(output, input == "-" ? "/dev/stdin" : input, ignored))
      throw UsageError(output + ": is the input; give " + option + " another name");
}

void print(std::string_view text) {
  if (std::fwrite(text.data(), 1, text.size(), stdout) != text.size() || std::fflush(stdout) != 0)
    fail(FOVEA_IO, {"standard output: ", std::strerror(errno)});
}

std::string format(const char *pattern, ...) {
  va_list arguments, again;
  va_start(arguments, pattern);
  va_copy(again, arguments);
  std::string text(size_t(std::max(0, std::vsnprintf(nullptr, 0, pattern, arguments))), '\0');
  std::vsnprintf(text.data(), text.size() + 1, pattern, again);
  va_end(again);
  va_end(arguments);
  return text;
}

std::string bytes_text(double bytes) {
  if (bytes < 1e3) return format("%.0f B", bytes);
  if (bytes < 1e6) return format("%.1f kB", bytes / 1e3);
  return bytes < 1e9 ? format("%.1f MB", bytes / 1e6) : format("%.2f GB", bytes / 1e9);
}

std::pair<std::string, uint64_t> parse_assignment(const std::string &text, const char *option) {
  const size_t equals = text.find('=');
  uint64_t value = 0;
  if (equals != 0 && equals != std::string::npos) {
    const char *end = text.data() + text.size();
    const auto [rest, error] = std::from_chars(text.data() + equals + 1, end, value);
    if (error == std::errc() && rest == end) return {text.substr(0, equals), value};
  }
  throw UsageError(std::string(option) + " takes NAME=NUMBER, got '" + text + "'");
}

fovea::Device open_device(const std::string &selector) {
  fovea::DeviceOptions options;
  if (!selector.empty()) options.selector = selector.c_str();
  options.check_program = "/proc/self/exe"; // the tool itself (main.cpp)
  return fovea::Device::open(options).value();
}

fovea::Model open_model(const std::string &path, bool verify) {
  fovea::ModelOptions options;
  options.verify = verify;
  return fovea::Model::open(find_model(path), options).value();
}

} // namespace tool
