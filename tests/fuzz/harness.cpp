#include "fuzz/harness.h"

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <new>

#if __has_feature(address_sanitizer)
#include <sanitizer/allocator_interface.h>
#else
#include <malloc.h>
#include <sys/mman.h>
#endif

namespace {

bool is_counting = false;
uint64_t live_bytes = 0, limit_bytes = 0;

double thread_seconds() {
  timespec t{};
  ::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
  return double(t.tv_sec) + double(t.tv_nsec) * 1e-9;
}

void allocated(size_t bytes) {
  if (!is_counting) return;
  live_bytes += bytes;
  if (live_bytes > limit_bytes) {
    is_counting = false;
    fovea::fuzz::finding("more memory than the input's size and 64 MiB");
  }
}

void freed(size_t bytes) {
  if (is_counting) live_bytes -= bytes < live_bytes ? bytes : live_bytes; // of what was there before, too
}

} // namespace

#if __has_feature(address_sanitizer)
extern "C" {
// Sizes that the allocator is asked for; quarantine and red zones are not the product's.
void __sanitizer_malloc_hook(const volatile void *, size_t bytes) { allocated(bytes); }
void __sanitizer_free_hook(const volatile void *block) {
  if (is_counting) freed(__sanitizer_get_allocated_size(block));
}

// Short stacks and a small quarantine: most of the time of a run would go there.
const char *__asan_default_options() {
  return "quarantine_size_mb=2:malloc_context_size=6:max_allocation_size_mb=512:allocator_may_return_null=0";
}
const char *__ubsan_default_options() { return "print_stacktrace=1:halt_on_error=1"; }
}
#else
// Blocks go back to the process and not to the system, which would take a seventh of the time of short runs.
[[maybe_unused]] const bool is_kept =
    mallopt(M_TRIM_THRESHOLD, 256 << 20) && mallopt(M_MMAP_THRESHOLD, 32 << 20);

// What C++ asks for: libraries in C below are not counted here.
void *operator new(size_t bytes) {
  allocated(bytes);
  void *const block = std::malloc(bytes);
  if (!block) throw std::bad_alloc();
  return block;
}
void operator delete(void *block) noexcept {
  if (is_counting && block) freed(malloc_usable_size(block));
  std::free(block);
}
void operator delete(void *block, size_t) noexcept { operator delete(block); }
#endif

namespace fovea::fuzz {

#if __has_feature(address_sanitizer)
std::span<const std::byte> input_bytes(const uint8_t *data, size_t size) {
  return std::as_bytes(std::span(data, size)); // libFuzzer's copy has red zones
}
#else
std::span<const std::byte> input_bytes(const uint8_t *data, size_t size) {
  constexpr size_t kSize = 1 << 20, kGuard = 4096;
  static std::byte *const memory = [] {
    void *const at =
        ::mmap(nullptr, kSize + kGuard, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (at == MAP_FAILED || ::mprotect(static_cast<std::byte *>(at) + kSize, kGuard, PROT_NONE) != 0)
      std::abort();
    return static_cast<std::byte *>(at);
  }();
  if (size > kSize) return std::as_bytes(std::span(data, size));
  std::byte *const at = memory + kSize - size;
  if (size > 0) std::memcpy(at, data, size);
  return {at, size};
}
#endif

Watch::Watch(uint64_t input_bytes) : begin_s_(thread_seconds()) {
  live_bytes = 0;
  limit_bytes = input_bytes + kSpareBytes;
  is_counting = true;
}

Watch::~Watch() {
  is_counting = false;
  if (const double spent_s = thread_seconds() - begin_s_; spent_s > kMaxSeconds)
    finding("too slow", concat(spent_s, " s of processor time"));
}

void finding(const char *what, const std::string &details) {
  std::fprintf(stderr, "FINDING: %s: %s\n", what, details.c_str());
  std::abort();
}

void check_error(const Error &error) {
  const std::string_view text = error.what();
  if (error.code() == ErrorCode::Internal) finding("an internal error", error.what());
  if (text.empty() || text.size() > 8192 || text.find('\n') != std::string_view::npos)
    finding("an error that is not one line", error.what());
}

} // namespace fovea::fuzz
