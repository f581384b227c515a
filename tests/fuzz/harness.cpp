#include "fuzz/harness.h"

#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <sanitizer/allocator_interface.h>

namespace {

bool is_counting = false;
uint64_t live_bytes = 0, limit_bytes = 0;

double thread_seconds() {
  timespec t{};
  ::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
  return double(t.tv_sec) + double(t.tv_nsec) * 1e-9;
}

} // namespace

extern "C" {
// Sizes that the allocator is asked for; quarantine and red zones are not the product's.
void __sanitizer_malloc_hook(const volatile void *, size_t bytes) {
  if (!is_counting) return;
  live_bytes += bytes;
  if (live_bytes > limit_bytes) {
    is_counting = false;
    fovea::fuzz::finding("more memory than the input's size and 64 MiB");
  }
}
void __sanitizer_free_hook(const volatile void *block) {
  if (!is_counting) return;
  const size_t bytes = __sanitizer_get_allocated_size(block);
  live_bytes -= bytes < live_bytes ? bytes : live_bytes; // of what was there before, too
}

// Short stacks and a small quarantine: most of the time of a run would go there.
const char *__asan_default_options() {
  return "quarantine_size_mb=2:malloc_context_size=6:max_allocation_size_mb=512:allocator_may_return_null=0";
}
const char *__ubsan_default_options() { return "print_stacktrace=1:halt_on_error=1"; }
}

namespace fovea::fuzz {

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
