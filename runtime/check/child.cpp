// The child process that tries kernels, from both sides. It gets, on its standard input, the device to open
// and the cases, and says on its standard output, a line each, what it begins and what came of it.
#include "check/checker.h"

#include "base/device_profile.h"
#include "base/words.h"
#include "vk/pipeline_cache.h"

#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstring>
#include <fcntl.h>
#include <poll.h>
#include <spawn.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

extern char **environ;

namespace fovea::check {
namespace {

using Clock = std::chrono::steady_clock;
/// A software driver may compile one kernel for a minute.
constexpr std::chrono::seconds kPatience{30}, kPatienceWithSoftware{120};
/// A software driver that shares its processors with others may wait so many times as long: it is the time
/// spent on it that counts.
constexpr int kBusyMachine = 10;
constexpr int kDeviceLost = 3; // a child's exit status, with a case in hand
constexpr std::string_view kHello = "fovea-check 1";

std::string one_line(std::string text) {
  for (char &c : text)
    if (uint8_t(c) < ' ') c = ' ';
  return text;
}

/// A process with a socket for its standard input and output; killed and waited for in the end.
class Child {
public:
  explicit Child(const std::string &program) {
    int sockets[2];
    if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, sockets) != 0)
      fail(ErrorCode::Unsupported, program, ": no socket for it: ", std::strerror(errno));
    fd_ = sockets[0];
    posix_spawn_file_actions_t actions;
    ::posix_spawn_file_actions_init(&actions);
    ::posix_spawn_file_actions_adddup2(&actions, sockets[1], 0);
    ::posix_spawn_file_actions_adddup2(&actions, sockets[1], 1);
    ::posix_spawn_file_actions_addopen(&actions, 2, "/dev/null", O_WRONLY, 0);
    // A group of its own: Ctrl-C is the application's to understand, and no crash of the driver.
    posix_spawnattr_t attributes;
    ::posix_spawnattr_init(&attributes);
    ::posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETPGROUP);
    const char *const arguments[] = {program.c_str(), kChildArgument, nullptr};
    const int error = ::posix_spawnp(&pid_, program.c_str(), &actions, &attributes,
                                     const_cast<char *const *>(arguments), environ);
    ::posix_spawn_file_actions_destroy(&actions);
    ::posix_spawnattr_destroy(&attributes);
    ::close(sockets[1]);
    if (error == 0) return;
    ::close(fd_);
    fail(ErrorCode::Unsupported, program, ": does not start: ", std::strerror(error));
  }
  ~Child() {
    ::close(fd_);
    if (pid_ <= 0) return;
    ::kill(pid_, SIGKILL);
    while (::waitpid(pid_, nullptr, 0) < 0 && errno == EINTR) {}
  }
  Child(const Child &) = delete;
  Child &operator=(const Child &) = delete;

  void send(std::string_view text) {
    while (!text.empty()) {
      const ssize_t n = ::send(fd_, text.data(), text.size(), MSG_NOSIGNAL);
      if (n < 0 && errno == EINTR) continue;
      if (n < 0) return; // it has ended: reading says so
      text.remove_prefix(size_t(n));
    }
    ::shutdown(fd_, SHUT_WR);
  }

  enum class Read : uint8_t { Line, End, Late };
  /// The next line, waited for until the deadline.
  Read read_line(std::string &line, Clock::time_point deadline, const std::atomic<bool> *cancel) {
    for (;;) {
      if (const size_t end = buffer_.find('\n'); end != buffer_.npos) {
        line = buffer_.substr(0, end);
        buffer_.erase(0, end + 1);
        return Read::Line;
      }
      if (cancel && cancel->load()) fail(ErrorCode::Cancelled, "the check was cancelled");
      if (Clock::now() >= deadline) return Read::Late;
      pollfd waited{fd_, POLLIN, 0};
      if (::poll(&waited, 1, 100) <= 0) continue;
      char bytes[4096];
      const ssize_t n = ::read(fd_, bytes, sizeof bytes);
      if (n < 0 && errno == EINTR) continue;
      if (n <= 0) return Read::End;
      buffer_.append(bytes, size_t(n));
    }
  }

  /// The time that processors have spent on it; 0 where nobody counts.
  std::chrono::duration<double> cpu_time() const {
    clockid_t clock;
    timespec spent{};
    if (::clock_getcpuclockid(pid_, &clock) != 0 || ::clock_gettime(clock, &spent) != 0) return {};
    return std::chrono::duration<double>(double(spent.tv_sec) + double(spent.tv_nsec) * 1e-9);
  }

  /// How it ended, for people. Error Unsupported where somebody ended it: that says nothing about the case.
  std::string wait() {
    int status = 0;
    pid_t done;
    while ((done = ::waitpid(pid_, &status, 0)) < 0 && errno == EINTR) {}
    pid_ = -1;
    if (done < 0) return "the process that tried it ended"; // nobody keeps account of children here
    if (WIFEXITED(status) && WEXITSTATUS(status) == kDeviceLost) return "the device was lost";
    if (!WIFSIGNALED(status))
      return concat("the process that tried it ended with status ", WEXITSTATUS(status));
    const int signal = WTERMSIG(status);
    for (const int from_outside : {SIGKILL, SIGTERM, SIGINT, SIGHUP, SIGPIPE})
      if (signal == from_outside)
        fail(ErrorCode::Unsupported, "the process that tries kernels was ended by signal ", signal);
    return concat("the driver crashed: signal ", signal, " (", ::strsignal(signal), ")");
  }

private:
  int fd_ = -1;
  pid_t pid_ = -1;
  std::string buffer_;
};

std::string print_result(size_t index, const CaseResult &r) {
  return concat("result ", index, " ", int(r.outcome), " ", r.error, " ", r.allowed, " ", r.seconds, " ",
                one_line(r.fault), "\n");
}

/// Error InvalidArgument.
std::pair<size_t, CaseResult> parse_result(std::string_view line) {
  CaseResult r;
  const auto index = require_number<size_t>(take_until(line, ' '));
  const auto outcome = require_number<int>(take_until(line, ' '));
  if (outcome < 0 || outcome > int(CaseResult::Outcome::Unknown))
    fail(ErrorCode::InvalidArgument, outcome, " is no outcome");
  r.outcome = CaseResult::Outcome(outcome);
  for (double *value : {&r.error, &r.allowed, &r.seconds})
    *value = require_number<double>(take_until(line, ' '));
  r.fault = line;
  return {index, r};
}

} // namespace

void run_in_child(const std::string &program, const vk::Device &device, std::span<const KernelCase> cases,
                  const RunOptions &options) {
  const DeviceCaps &caps = device.caps();
  const bool is_software = caps.type == DeviceType::Software;
  const auto patience = options.patience.count() > 0        ? options.patience
                        : caps.type == DeviceType::Software ? kPatienceWithSoftware
                                                            : kPatience;
  size_t next = 0;
  while (next < cases.size()) {
    Child child(program);
    child.send(concat("key ", hex(vk::device_key(device.context()->physical.info.caps)), "\npretend ",
                      caps.profile ? caps.profile->name : "", "\nfolder ", options.folder, "\ntimed ",
                      options.n_timed, "\n", print_cases(cases.subspan(next))));
    const size_t first = next;
    bool greeted = false, begun = false;
    std::string line;
    while (next < cases.size()) {
      const auto begin = Clock::now();
      const auto cpu_begin = child.cpu_time();
      Child::Read read;
      do {
        read = child.read_line(line, Clock::now() + patience, options.cancel);
      } while (read == Child::Read::Late && is_software && child.cpu_time() - cpu_begin < patience &&
               Clock::now() - begin < kBusyMachine * patience);
      if (read == Child::Read::Line && !greeted) {
        if (line != kHello) fail(ErrorCode::Unsupported, program, ": cannot check kernels: ", line);
        greeted = true;
      } else if (read == Child::Read::Line && line.starts_with("begin ")) {
        begun = true;
      } else if (read == Child::Read::Line && !line.starts_with("result ")) {
        fail(ErrorCode::Unsupported, program, ": cannot check kernels: ", line); // its own reason
      } else if (read == Child::Read::Line) {
        const auto [index, result] = parse_result(after(line, "result "));
        if (first + index != next) fail(ErrorCode::Unsupported, program, ": answers out of turn");
        if (options.on_result) options.on_result(next, result);
        ++next;
        begun = false;
      } else {
        const std::string why = read == Child::Read::Late
                                    ? concat("it did not end within ", patience.count(), " s")
                                    : child.wait();
        if (!greeted || !begun) fail(ErrorCode::Unsupported, program, ": cannot check kernels: ", why);
        if (options.on_result) options.on_result(next, {CaseResult::Outcome::Wrong, why, 0, 0, 0});
        ++next;
        break;
      }
    }
    if (next == cases.size() && greeted && !begun) // it stores what it has compiled
      while (child.read_line(line, Clock::now() + kPatience, options.cancel) == Child::Read::Line) {}
  }
}

int serve(int in, int out) noexcept {
  const auto say = [&](std::string_view text) {
    while (!text.empty()) {
      const ssize_t n = ::write(out, text.data(), text.size());
      if (n < 0 && errno == EINTR) continue;
      if (n <= 0) return;
      text.remove_prefix(size_t(n));
    }
  };
  try {
    std::string all;
    char bytes[65536];
    for (;;) {
      const ssize_t n = ::read(in, bytes, sizeof bytes);
      if (n < 0 && errno == EINTR) continue;
      if (n <= 0) break;
      all.append(bytes, size_t(n));
    }
    std::string_view text = all;
    const std::string key(after(take_until(text, '\n'), "key "));
    vk::DeviceOptions wanted;
    wanted.pretend = std::string(after(take_until(text, '\n'), "pretend "));
    wanted.cache_folder = std::string(after(take_until(text, '\n'), "folder "));
    wanted.tuning = false;
    const auto n_timed = require_number<uint32_t>(after(take_until(text, '\n'), "timed "));
    const std::vector<KernelCase> cases = parse_cases(text);
    for (const vk::DeviceInfo &device : vk::list_devices(""))
      if (wanted.selector.empty() && hex(vk::device_key(device.caps)) == key)
        wanted.selector = concat(device.index);
    if (wanted.selector.empty()) fail(ErrorCode::NotFound, "the device is not to be found");
    const auto device = vk::Device::open(wanted);
    CaseRunner runner(device, *wanted.cache_folder);
    say(concat(kHello, "\n"));
    for (size_t i = 0; i < cases.size(); ++i) {
      say(concat("begin ", i, "\n"));
      say(print_result(i, runner.run(cases[i], n_timed)));
    }
    return 0;
  } catch (const Error &e) {
    if (e.code() == ErrorCode::DeviceLost) return kDeviceLost;
    say(one_line(e.what()) + "\n");
    return 1;
  } catch (const std::exception &e) {
    say(one_line(e.what()) + "\n");
    return 1;
  }
}

} // namespace fovea::check
