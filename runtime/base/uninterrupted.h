// uninterrupted(call): a system call again for as long as a signal interrupts it. Pure; any thread; throws
// what `call` does. Not for close(), which on Linux has closed whatever it says.
#pragma once

#include <cerrno>

namespace fovea {

template <class Call> auto uninterrupted(Call &&call) {
  for (;;)
    if (const auto result = call(); result >= 0 || errno != EINTR) return result;
}

} // namespace fovea
