// SPIR-V words as fewer bytes, and back, exactly. Ids are written as what they mostly are: the next one, one
// of the last few, or one of the module's globals, so that two variants of a kernel give nearly the same
// bytes. Pure; thread-safe. Any words that are whole instructions come back as they were; knowing an opcode
// only makes it shorter. words_of() throws Internal on bytes that bytes_of() did not make.
#pragma once

#include "kernels/byte_codec.h"

namespace fovea {

/// Error InvalidArgument for what is no SPIR-V module.
std::vector<uint8_t> bytes_of(std::span<const uint32_t> words);
std::vector<uint32_t> words_of(Bytes bytes);

} // namespace fovea
