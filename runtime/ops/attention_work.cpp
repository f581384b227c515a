#include "ops/attention_lowering.h"

#include <algorithm>

namespace fovea {

void AttentionFields::work_on(OpWork &work, std::initializer_list<Value> keys) const {
  const AttentionSizes s = attention_sizes(*this, work.shape(q), work.shape(k));
  const uint64_t n_past = past ? work.step(past) : 0;
  const uint64_t end = past ? std::min(n_past + s.n_queries, s.n_keys) : s.n_keys;
  uint64_t n_pairs = 0, first = s.n_keys, last = 0;
  for (uint64_t t = 0; t < s.n_queries; ++t) {
    const uint64_t position = n_past + t;
    const uint64_t to = causal ? std::min(position + 1, end) : end;
    const uint64_t from = window > 0 && position + 1 > window ? std::min(position + 1 - window, to) : 0;
    if (from == to) continue;
    n_pairs += to - from;
    first = std::min(first, from);
    last = std::max(last, to);
  }
  for (const Value v : keys) work.reads(v, last > first ? double(last - first) / double(s.n_keys) : 0);
  work.computes(double(n_pairs) / (double(s.n_queries) * double(s.n_keys)));
}

} // namespace fovea
