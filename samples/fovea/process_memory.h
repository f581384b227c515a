// What this process has in memory, as Linux counts it. Functions; thread-safe. Elsewhere nothing is known:
// resident memory is 0 and no new peak begins.
#pragma once

#include <cstdint>

namespace tool {

uint64_t peak_memory_bytes();
uint64_t resident_memory_bytes();
/// From here on, large blocks that are freed go back to the system at once, where the C library keeps them
/// (glibc raises its limit with every one that it sees).
void return_freed_memory();
/// Gives freed memory back to the system and begins a new peak; false where the system cannot.
bool reset_peak_memory();

} // namespace tool
