// TuningTable: which variant of a kernel family to prefer for a class of shapes on a device, where that is
// not the order that selection has anyway. Two tables: the rows that come with Fovea, for drivers it has been
// measured on, and the rows that `fovea tune` measured on the device at hand, which go before them and arrive
// in DeviceCaps. A row only ever changes the order among variants that selection admits for the very shape:
// no table makes a kernel run that could not run without one. Pure; thread-safe.
#pragma once

#include "base/device_caps.h"
#include "kernels/choice.h"

#include <map>
#include <string>
#include <string_view>

namespace fovea {

struct TuningTable {
  std::map<ChoiceKey, VariantId> rows;
};

/// The class of a size: the next of 1, 2, 3, 4, 6, 8, 12, 16, 24 …
uint32_t size_class(uint64_t size);
/// The class of a number of rows, which differs from prompt to prompt: 1 … 8, up to 16, 64, 256, more (1024).
uint32_t rows_class(uint64_t n_rows);

/// Puts what the tables prefer before the rest, which keeps its order, and tells each choice its key and what
/// it is among.
void apply_tuning(const DeviceCaps &caps, const ChoiceKey &key, std::vector<KernelChoice> &choices);

/// Sixteen digits.
std::string hex(uint64_t value);
/// "linear_texel_q8", or with its tile "linear_texel_q8 (8)"
std::string to_string(const VariantId &id);

/// The table as text, for the device and kernels that `key` stands for (vk::cache_key()); docs/kernels.md has
/// the format. parse_tuning: Error InvalidArgument, with the line, for anything that print_tuning() does not
/// write; NotFound for a table with another key.
std::string print_tuning(const TuningTable &table, uint64_t key, const std::string &device);
TuningTable parse_tuning(std::string_view text, uint64_t key);

} // namespace fovea
