// Latencies: the median and the 95th percentile of some seconds. A value.
#pragma once

#include "console.h"

#include <algorithm>

namespace tool {

class Latencies {
public:
  void add(double seconds) { all_.push_back(seconds); }
  bool empty() const { return all_.empty(); }
  /// The least that `part` of them do not exceed.
  double quantile(double part) const {
    if (all_.empty()) return 0;
    std::vector<double> sorted = all_;
    std::sort(sorted.begin(), sorted.end());
    return sorted[std::min(sorted.size() - 1, size_t(part * double(sorted.size())))];
  }
  std::string text() const { return format("%.2f s (95%%: %.2f s)", quantile(0.5), quantile(0.95)); }

private:
  std::vector<double> all_;
};

} // namespace tool
