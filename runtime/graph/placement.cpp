#include "graph/placement.h"

#include <algorithm>
#include <numeric>

namespace fovea {

Placement place(const std::vector<Lifetime> &buffers) {
  Placement out;
  out.offsets.resize(buffers.size());
  std::vector<size_t> order(buffers.size());
  std::iota(order.begin(), order.end(), size_t(0));
  std::stable_sort(order.begin(), order.end(),
                   [&](size_t a, size_t b) { return buffers[a].bytes > buffers[b].bytes; });

  std::vector<size_t> placed; // by offset
  for (const size_t i : order) {
    const Lifetime &life = buffers[i];
    if (!life.used()) continue;
    uint64_t offset = 0;
    for (const size_t j : placed) {
      const Lifetime &other = buffers[j];
      if (other.last < life.first || life.last < other.first) continue;
      if (out.offsets[j] >= offset + life.bytes) break;
      offset = std::max(offset, out.offsets[j] + other.bytes);
    }
    out.offsets[i] = offset;
    out.bytes = std::max(out.bytes, offset + life.bytes);
    placed.insert(std::upper_bound(placed.begin(), placed.end(), offset,
                                   [&](uint64_t at, size_t j) { return at < out.offsets[j]; }),
                  i);
  }
  return out;
}

void set_barriers(std::vector<Dispatch> &dispatches) {
  std::vector<const Binding *> since; // what the dispatches since the last barrier touch
  const auto conflict = [](const Binding &a, const Binding &b) {
    const bool both_read = a.access == Access::Read && b.access == Access::Read;
    return !both_read && a.space == b.space && a.offset < b.offset + b.bytes && b.offset < a.offset + a.bytes;
  };
  for (Dispatch &d : dispatches) {
    d.barrier_before = std::any_of(since.begin(), since.end(), [&](const Binding *earlier) {
      return std::any_of(d.touched.begin(), d.touched.end(),
                         [&](const Binding &b) { return conflict(*earlier, b); });
    });
    if (d.barrier_before) since.clear();
    for (const Binding &b : d.touched) since.push_back(&b);
  }
}

} // namespace fovea
