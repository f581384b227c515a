#include "process_memory.h"

#include <fstream>
#include <string>
#include <sys/resource.h>
#ifdef __GLIBC__
#include <malloc.h>
#endif

namespace tool {
namespace {

/// "VmHWM:    1234 kB"; 0 where there is no such line.
uint64_t status_bytes(const std::string &name) {
  std::ifstream status("/proc/self/status");
  for (std::string word; status >> word;)
    if (uint64_t kilobytes = 0; word == name && status >> kilobytes) return kilobytes * 1024;
  return 0;
}

} // namespace

uint64_t peak_memory_bytes() {
  if (const uint64_t bytes = status_bytes("VmHWM:")) return bytes;
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
#ifdef __APPLE__
  return uint64_t(usage.ru_maxrss);
#else
  return uint64_t(usage.ru_maxrss) * 1024;
#endif
}

uint64_t resident_memory_bytes() { return status_bytes("VmRSS:"); }

void return_freed_memory() {
#ifdef M_MMAP_THRESHOLD
  mallopt(M_MMAP_THRESHOLD, 1 << 20);
#endif
}

bool reset_peak_memory() {
#ifdef __GLIBC__
  malloc_trim(0);
#endif
  std::ofstream clear("/proc/self/clear_refs");
  return bool(clear << "5" << std::flush);
}

} // namespace tool
