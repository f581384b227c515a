#include "soak/footprint.h"

#include <algorithm>
#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <dlfcn.h>
#include <filesystem>
#include <link.h>
#include <malloc.h>
#include <new>
#include <unistd.h>
#include <unwind.h>
#include <vector>

namespace fovea::test {
namespace {

std::atomic<int64_t> g_blocks{0}, g_bytes{0};

enum class Owner { Own, Through, Other };

Owner owner_of(const void *address) {
  dl_find_object found{};
  if (_dl_find_object(const_cast<void *>(address), &found) != 0) return Owner::Other;
  const char *const path = found.dlfo_link_map->l_name;
  if (!path || !*path) return Owner::Own; // the program
  const char *const slash = std::strrchr(path, '/');
  return std::strncmp(slash ? slash + 1 : path, "libstdc++", 9) == 0 ? Owner::Through : Owner::Other;
}

struct Search {
  bool in_library = false; // libstdc++'s frames have begun
  bool own = false;
};

/// The first caller that is not libstdc++ decides.
_Unwind_Reason_Code look(_Unwind_Context *context, void *user) {
  auto &search = *static_cast<Search *>(user);
  const Owner owner = owner_of(reinterpret_cast<const void *>(_Unwind_GetIP(context)));
  if (owner == Owner::Through) search.in_library = true;
  if (owner == Owner::Through || !search.in_library) return _URC_NO_REASON; // not yet, or of this file
  search.own = owner == Owner::Own;
  return _URC_END_OF_STACK;
}

bool is_own(const void *caller) {
  const Owner owner = owner_of(caller);
  if (owner != Owner::Through) return owner == Owner::Own;
  Search search;
  _Unwind_Backtrace(look, &search);
  return search.own;
}

/// Before each block.
struct Header {
  void *begin;
  int64_t own_bytes; // 0: not Fovea's
};

void *take(size_t bytes, size_t alignment, const void *caller) noexcept {
  alignment = std::max(alignment, sizeof(Header));
  if (bytes > SIZE_MAX - alignment) return nullptr;
  void *const begin = alignment > alignof(std::max_align_t)
                          ? std::aligned_alloc(alignment, (bytes + 2 * alignment - 1) / alignment * alignment)
                          : std::malloc(bytes + alignment);
  if (!begin) return nullptr;
  char *const at = static_cast<char *>(begin) + alignment;
  const Header header{begin, is_own(caller) ? int64_t(bytes) + 1 : 0};
  std::memcpy(at - sizeof header, &header, sizeof header);
  if (header.own_bytes) {
    ++g_blocks;
    g_bytes += header.own_bytes - 1;
  }
  return at;
}

void give_back(void *at) noexcept {
  if (!at) return;
  Header header{};
  std::memcpy(&header, static_cast<char *>(at) - sizeof header, sizeof header);
  if (header.own_bytes) {
    --g_blocks;
    g_bytes -= header.own_bytes - 1;
  }
  std::free(header.begin);
}

void *take_or_throw(size_t bytes, size_t alignment, const void *caller) {
  if (void *const at = take(bytes, alignment, caller)) return at;
  throw std::bad_alloc();
}

uint64_t entries(const char *folder) {
  return uint64_t(std::distance(std::filesystem::directory_iterator(folder), {}));
}

/// Without SwiftShader's, which keeps memory for the code it makes in files without a name.
uint64_t open_descriptors() {
  const std::filesystem::directory_iterator all("/proc/self/fd");
  return uint64_t(std::count_if(begin(all), end(all), [](const std::filesystem::directory_entry &entry) {
    std::error_code closed;
    return !std::filesystem::read_symlink(entry, closed).native().starts_with("/memfd:swiftshader");
  }));
}

} // namespace

Footprint footprint() {
  Footprint f;
  f.own_blocks = g_blocks;
  f.own_bytes = g_bytes;
  const struct mallinfo2 heap = ::mallinfo2();
  f.heap_bytes = int64_t(heap.uordblks + heap.hblkhd);
  long n_pages = 0;
  if (std::FILE *const statm = std::fopen("/proc/self/statm", "r")) {
    if (std::fscanf(statm, "%*s %ld", &n_pages) != 1) n_pages = 0;
    std::fclose(statm);
  }
  f.resident_bytes = n_pages * ::sysconf(_SC_PAGESIZE);
  f.n_descriptors = open_descriptors();
  f.n_threads = entries("/proc/self/task");
  return f;
}

double robust_slope(std::span<const double> values) {
  std::vector<double> slopes;
  for (size_t i = 0; i < values.size(); ++i)
    for (size_t j = i + 1; j < values.size(); ++j) slopes.push_back((values[j] - values[i]) / double(j - i));
  if (slopes.empty()) return 0;
  const auto middle = slopes.begin() + std::ptrdiff_t(slopes.size() / 2);
  std::nth_element(slopes.begin(), middle, slopes.end());
  return *middle;
}

} // namespace fovea::test

using fovea::test::give_back;
using fovea::test::take;
using fovea::test::take_or_throw;

// Replaced for the whole program: libstdc++'s array and nothrow forms call these.
void *operator new(size_t bytes) { return take_or_throw(bytes, 1, __builtin_return_address(0)); }
void *operator new[](size_t bytes) { return take_or_throw(bytes, 1, __builtin_return_address(0)); }
void *operator new(size_t bytes, const std::nothrow_t &) noexcept {
  return take(bytes, 1, __builtin_return_address(0));
}
void *operator new[](size_t bytes, const std::nothrow_t &) noexcept {
  return take(bytes, 1, __builtin_return_address(0));
}
void *operator new(size_t bytes, std::align_val_t a) {
  return take_or_throw(bytes, size_t(a), __builtin_return_address(0));
}
void *operator new[](size_t bytes, std::align_val_t a) {
  return take_or_throw(bytes, size_t(a), __builtin_return_address(0));
}
void *operator new(size_t bytes, std::align_val_t a, const std::nothrow_t &) noexcept {
  return take(bytes, size_t(a), __builtin_return_address(0));
}
void *operator new[](size_t bytes, std::align_val_t a, const std::nothrow_t &) noexcept {
  return take(bytes, size_t(a), __builtin_return_address(0));
}
void operator delete(void *at) noexcept { give_back(at); }
void operator delete[](void *at) noexcept { give_back(at); }
void operator delete(void *at, size_t) noexcept { give_back(at); }
void operator delete[](void *at, size_t) noexcept { give_back(at); }
void operator delete(void *at, const std::nothrow_t &) noexcept { give_back(at); }
void operator delete[](void *at, const std::nothrow_t &) noexcept { give_back(at); }
void operator delete(void *at, std::align_val_t) noexcept { give_back(at); }
void operator delete[](void *at, std::align_val_t) noexcept { give_back(at); }
void operator delete(void *at, size_t, std::align_val_t) noexcept { give_back(at); }
void operator delete[](void *at, size_t, std::align_val_t) noexcept { give_back(at); }
void operator delete(void *at, std::align_val_t, const std::nothrow_t &) noexcept { give_back(at); }
void operator delete[](void *at, std::align_val_t, const std::nothrow_t &) noexcept { give_back(at); }
