// Preloaded into the tool: makes one allocation or system call of its own fail. FOVEA_HOST_FAIL=WHAT:K:HOW
//
//   WHAT  alloc (the K-th allocation), path (the K-th place, as a call stack, that allocates: its first
//   time), or a
//         call: open, read, write, mmap, ftruncate, sync, rename, link, close
//   HOW   an errno's number, short (half of the bytes), kill (SIGKILL before the call; in a write: after half
//   of it),
//         killed (after it)
//
// FOVEA_HOST_REPORT=FILE: how many there were from main's beginning to its end, and "failed WHAT" when it
// happened. FOVEA_HOST_NO_TMPFILE=1: a file system without nameless files. Counted is what Fovea's own
// objects ask for, directly or through the C and C++ library and the decoders; not what the driver, the
// loader or the linker do, nor child processes. What is done before main() is not counted either: nobody
// could catch it.
#include <array>
#include <atomic>
#include <cerrno>
#include <csignal>
#include <cstdarg>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <dlfcn.h>
#include <fcntl.h>
#include <link.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>
#include <unwind.h>

extern "C" void *__libc_malloc(size_t);
extern "C" void *__libc_calloc(size_t, size_t);
extern "C" void *__libc_realloc(void *, size_t);
extern "C" void *__libc_memalign(size_t, size_t);

namespace {

enum What { Alloc, Path, Open, Read, Write, Map, Truncate, Sync, Rename, Link, Close, kWhats };
constexpr std::array<const char *, kWhats> kNames = {"alloc",     "path", "open",   "read", "write", "mmap",
                                                     "ftruncate", "sync", "rename", "link", "close"};
enum How { Errno, Short, Kill, Killed };

int g_what = -1, g_errno = 0;
How g_how = Errno;
long g_at = 0;
bool g_no_tmpfile = false;
char g_report[512];
std::atomic<bool> g_in_main{false};
std::array<std::atomic<long>, kWhats> g_counts{};
std::array<std::atomic<uint64_t>, 1 << 16> g_stacks{};
thread_local bool t_inside __attribute__((tls_model("initial-exec"))) = false;

void report(const char *text) {
  if (!*g_report) return;
  const long fd = syscall(SYS_openat, AT_FDCWD, g_report, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
  [[maybe_unused]] const long n = syscall(SYS_write, fd, text, std::strlen(text));
  syscall(SYS_close, fd);
}

enum class Owner { Ours, Transparent, Other };

Owner owner_of(const void *address, What what) {
  dl_find_object found{};
  if (_dl_find_object(const_cast<void *>(address), &found) != 0) return Owner::Other;
  const char *const path = found.dlfo_link_map->l_name;
  if (!path || !*path) return Owner::Ours; // the program
  const char *const slash = std::strrchr(path, '/');
  const char *const name = slash ? slash + 1 : path;
  const auto is = [&](const char *begin) { return std::strncmp(name, begin, std::strlen(begin)) == 0; };
  if (is("libfovea_failing_host")) return Owner::Transparent;
  if (is("libfovea")) return Owner::Ours;
  for (const char *library : {"libstdc++", "libc.so", "libgcc", "libm.so", "libpcre2", "libz.so", "libsoxr"})
    if (is(library)) return Owner::Transparent;
  // libsndfile 1.2 does not survive an allocation of its own that fails.
  if (what != Alloc && is("libsndfile")) return Owner::Transparent;
  return Owner::Other;
}

struct Stack {
  What what;
  Owner owner = Owner::Other;
  uint64_t hash = 14695981039346656037U;
  int n_ours = 0;
};

_Unwind_Reason_Code see(_Unwind_Context *context, void *user) {
  auto &stack = *static_cast<Stack *>(user);
  const auto *const at = reinterpret_cast<const void *>(_Unwind_GetIP(context));
  const Owner owner = owner_of(at, stack.what);
  if (stack.n_ours == 0 && owner == Owner::Other) return _URC_END_OF_STACK;
  stack.hash = (stack.hash ^ reinterpret_cast<uint64_t>(at)) * 1099511628211U;
  if (owner != Owner::Ours) return _URC_NO_REASON;
  stack.owner = Owner::Ours;
  return ++stack.n_ours < 6 && g_what == Path ? _URC_NO_REASON : _URC_END_OF_STACK;
}

/// Whether this call stack is one that was not seen before.
bool is_new(uint64_t hash) {
  for (size_t i = hash; i < hash + g_stacks.size(); ++i) {
    uint64_t seen = 0;
    if (g_stacks[i % g_stacks.size()].compare_exchange_strong(seen, hash)) return true;
    if (seen == hash) return false;
  }
  return false;
}

/// Whether this is the call to fail; counts it.
bool is_chosen(What what) {
  if (!g_in_main || t_inside) return false;
  t_inside = true;
  Stack stack{what};
  const int saved = errno;
  _Unwind_Backtrace(see, &stack);
  bool chosen = false;
  if (stack.owner == Owner::Ours) {
    chosen = g_what == what && g_counts[what] + 1 == g_at;
    ++g_counts[what];
    if (what == Alloc && g_what == Path && is_new(stack.hash)) chosen = ++g_counts[Path] == g_at;
  }
  if (chosen) report("failed\n");
  errno = saved;
  t_inside = false;
  return chosen;
}

/// The call itself, or what is to happen instead. `half`: as much of it as is possible.
template <class Call, class Half> long perform(What what, Call &&call, Half &&half) {
  if (!is_chosen(what)) return call();
  if (g_how == Short) return half();
  if (g_how == Kill) half();
  if (g_how == Killed) call();
  if (g_how != Errno) syscall(SYS_kill, getpid(), SIGKILL);
  if (what == Close) call(); // the descriptor is gone whatever close() says
  errno = g_errno;
  return -1;
}
template <class Call> long perform(What what, Call &&call) {
  return perform(what, call, [] { return 0L; });
}

bool alloc_fails() {
  if (!is_chosen(Alloc)) return false;
  errno = ENOMEM;
  return true;
}

template <class F> F next(const char *name) { return reinterpret_cast<F>(dlsym(RTLD_NEXT, name)); }

int (*g_main)(int, char **, char **) = nullptr;

int counted_main(int argc, char **argv, char **environment) {
  g_in_main = true;
  const int result = g_main(argc, argv, environment);
  g_in_main = false;
  char line[64];
  for (size_t i = 0; i < kWhats; ++i) {
    std::snprintf(line, sizeof line, "%s %ld\n", kNames[i], g_counts[i].load());
    report(line);
  }
  return result;
}

__attribute__((constructor)) void prepare() {
  if (const char *path = std::getenv("FOVEA_HOST_REPORT"))
    std::snprintf(g_report, sizeof g_report, "%s", path);
  g_no_tmpfile = std::getenv("FOVEA_HOST_NO_TMPFILE") != nullptr;
  if (const char *fail = std::getenv("FOVEA_HOST_FAIL")) {
    char what[16] = "", how[16] = "";
    if (std::sscanf(fail, "%15[^:]:%ld:%15s", what, &g_at, how) != 3) std::abort();
    for (int i = 0; i < kWhats; ++i)
      if (std::strcmp(what, kNames[size_t(i)]) == 0) g_what = i;
    g_how = std::strcmp(how, "short") == 0    ? Short
            : std::strcmp(how, "kill") == 0   ? Kill
            : std::strcmp(how, "killed") == 0 ? Killed
                                              : Errno;
    g_errno = std::atoi(how);
  }
  for (const char *name : {"LD_PRELOAD", "FOVEA_HOST_FAIL", "FOVEA_HOST_REPORT"})
    unsetenv(name); // not in children
}

} // namespace

#pragma GCC visibility push(default)
extern "C" {

int __libc_start_main(int (*main)(int, char **, char **), int argc, char **argv, void (*init)(),
                      void (*fini)(), void (*rtld_fini)(), void *stack_end) {
  g_main = main;
  using Start =
      int (*)(int (*)(int, char **, char **), int, char **, void (*)(), void (*)(), void (*)(), void *);
  return next<Start>("__libc_start_main")(counted_main, argc, argv, init, fini, rtld_fini, stack_end);
}

void *malloc(size_t n) { return alloc_fails() ? nullptr : __libc_malloc(n); }
void *calloc(size_t n, size_t size) { return alloc_fails() ? nullptr : __libc_calloc(n, size); }
void *realloc(void *at, size_t n) { return alloc_fails() ? nullptr : __libc_realloc(at, n); }
void *aligned_alloc(size_t alignment, size_t n) {
  return alloc_fails() ? nullptr : __libc_memalign(alignment, n);
}
int posix_memalign(void **out, size_t alignment, size_t n) {
  if (alloc_fails()) return ENOMEM;
  *out = __libc_memalign(alignment, n);
  return *out ? 0 : ENOMEM;
}

int open(const char *path, int flags, ...) {
  va_list arguments;
  va_start(arguments, flags);
  const auto mode = va_arg(arguments, mode_t);
  va_end(arguments);
  if (g_no_tmpfile && (flags & O_TMPFILE) == O_TMPFILE) {
    errno = EOPNOTSUPP;
    return -1;
  }
  return int(perform(Open, [&] { return syscall(SYS_openat, AT_FDCWD, path, flags, mode); }));
}
int open64(const char *path, int flags, ...) __attribute__((alias("open")));
FILE *fopen(const char *path, const char *mode) {
  static const auto real = next<FILE *(*)(const char *, const char *)>("fopen");
  FILE *file = nullptr;
  perform(Open, [&] { return (file = real(path, mode)) ? 0L : -1L; });
  return file;
}
FILE *fopen64(const char *path, const char *mode) __attribute__((alias("fopen")));
int mkostemp(char *path, int flags) {
  static const auto real = next<int (*)(char *, int)>("mkostemp");
  return int(perform(Open, [&] { return long(real(path, flags)); }));
}
int mkostemp64(char *path, int flags) __attribute__((alias("mkostemp")));

ssize_t read(int fd, void *to, size_t n) {
  const auto some = [&](size_t wanted) { return syscall(SYS_read, fd, to, wanted); };
  return perform(
      Read, [&] { return some(n); }, [&] { return some((n + 1) / 2); });
}
ssize_t pread(int fd, void *to, size_t n, off_t at) {
  const auto some = [&](size_t wanted) { return syscall(SYS_pread64, fd, to, wanted, at); };
  return perform(
      Read, [&] { return some(n); }, [&] { return some((n + 1) / 2); });
}
ssize_t pread64(int fd, void *to, size_t n, off_t at) __attribute__((alias("pread")));
ssize_t write(int fd, const void *from, size_t n) {
  const auto some = [&](size_t wanted) { return syscall(SYS_write, fd, from, wanted); };
  return perform(
      Write, [&] { return some(n); }, [&] { return some((n + 1) / 2); });
}
ssize_t pwrite(int fd, const void *from, size_t n, off_t at) {
  const auto some = [&](size_t wanted) { return syscall(SYS_pwrite64, fd, from, wanted, at); };
  return perform(
      Write, [&] { return some(n); }, [&] { return some((n + 1) / 2); });
}
ssize_t pwrite64(int fd, const void *from, size_t n, off_t at) __attribute__((alias("pwrite")));
size_t fwrite(const void *from, size_t size, size_t n, FILE *file) {
  static const auto real = next<size_t (*)(const void *, size_t, size_t, FILE *)>("fwrite");
  size_t written = 0;
  // Standard error is where the error is told. A stream of stdio goes on by itself after a short write.
  if (file == stderr || g_how != Errno || g_errno == EINTR) return real(from, size, n, file);
  perform(Write, [&] { return long(written = real(from, size, n, file)); });
  return written;
}

void *mmap(void *at, size_t n, int protection, int flags, int fd, off_t offset) {
  return reinterpret_cast<void *>(
      perform(Map, [&] { return syscall(SYS_mmap, at, n, protection, flags, fd, offset); }));
}
void *mmap64(void *at, size_t n, int protection, int flags, int fd, off_t offset)
    __attribute__((alias("mmap")));
int ftruncate(int fd, off_t n) {
  return int(perform(Truncate, [&] { return syscall(SYS_ftruncate, fd, n); }));
}
int ftruncate64(int fd, off_t n) __attribute__((alias("ftruncate")));
int fsync(int fd) {
  return int(perform(Sync, [&] { return syscall(SYS_fsync, fd); }));
}
int fdatasync(int fd) {
  return int(perform(Sync, [&] { return syscall(SYS_fdatasync, fd); }));
}
int rename(const char *from, const char *to) {
  return int(perform(Rename, [&] { return syscall(SYS_renameat, AT_FDCWD, from, AT_FDCWD, to); }));
}
int linkat(int from_at, const char *from, int to_at, const char *to, int flags) {
  return int(perform(Link, [&] { return syscall(SYS_linkat, from_at, from, to_at, to, flags); }));
}
int close(int fd) {
  return int(perform(Close, [&] { return syscall(SYS_close, fd); }));
}

} // extern "C"
#pragma GCC visibility pop
