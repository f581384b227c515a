#include "kernels/select_row.h"

#include "base/checked.h"
#include "kernels/catalogue.h"
#include "kernels/tuning.h"

#include <algorithm>
#include <bit>

namespace fovea {

std::optional<std::array<uint32_t, 3>> try_fold_groups(const DeviceCaps &caps, uint64_t n) {
  constexpr uint64_t kRow = 256; // short, since rows of a grid are what it is cut into (graph/pieces.h)
  const auto most = [&](size_t i) { return std::min(caps.max_workgroup_count[i], 65535u); };
  const uint64_t x = n <= most(0) ? n : std::min<uint64_t>(most(0), std::max(kRow, div_up(n, most(1))));
  const uint64_t y = div_up(n, x);
  if (y > most(1)) return {};
  return std::array{uint32_t(x), uint32_t(y), 1u};
}

std::array<uint32_t, 3> fold_groups(const DeviceCaps &caps, uint64_t n) {
  const auto folded = try_fold_groups(caps, n);
  if (!folded) fail(ErrorCode::Unsupported, n, " workgroups are more than the device takes");
  return *folded;
}

std::vector<KernelChoice> row_kernel_variants(const DeviceCaps &caps, uint64_t n_rows, uint64_t row_length,
                                              KernelId base, KernelId subgroup) {
  std::vector<KernelChoice> out;
  const auto groups = fold_groups(caps, n_rows);
  const auto allowed = [&](KernelId id) { return !caps.disabled_kernels.count(uint32_t(id)); };
  if (caps.fixed_subgroups() && caps.subgroup_arithmetic && allowed(subgroup))
    out.push_back({subgroup, {caps.subgroup_size}, groups});
  if (allowed(base)) {
    // No more invocations than elements, so short rows do not idle.
    const uint64_t wanted = std::bit_ceil(std::clamp<uint64_t>(row_length / 4, 8, 128));
    out.push_back({base,
                   {uint32_t(std::min<uint64_t>(wanted, std::bit_floor(caps.max_workgroup_invocations)))},
                   groups});
  }
  // A row of thousands of elements keeps more than a narrow subgroup busy on a GPU; software drivers run one
  // invocation after another anyway.
  if (out.size() == 2 && !caps.prefers_serial() && row_length > 64ull * caps.subgroup_size)
    std::swap(out[0], out[1]);
  if (out.empty())
    fail(ErrorCode::Unsupported, "every variant of ", to_string(base), " is disabled on ", caps.name);
  apply_tuning(caps, {base, {rows_class(n_rows), size_class(row_length)}}, out);
  return out;
}

KernelChoice select_row_kernel(const DeviceCaps &caps, uint64_t n_rows, uint64_t row_length, KernelId base,
                               KernelId subgroup) {
  return row_kernel_variants(caps, n_rows, row_length, base, subgroup).front();
}

KernelChoice select_map_kernel(const DeviceCaps &caps, uint64_t n_elements, KernelId base) {
  if (caps.disabled_kernels.count(uint32_t(base)))
    fail(ErrorCode::Unsupported, "every variant of ", to_string(base), " is disabled on ", caps.name);
  return {base, {64}, fold_groups(caps, div_up(n_elements, 64))};
}

} // namespace fovea
