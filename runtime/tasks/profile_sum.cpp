#include "tasks/profile_sum.h"

#include <algorithm>

namespace fovea {

void ProfileSum::add(const Program &program) {
  const auto rows = program.profile();
  for (size_t i = 0; i < rows.size(); ++i) {
    ProfileRow &total = rows_[{program.plan().graph, i}];
    if (total.n_runs++ == 0) {
      total.graph = program.plan().graph;
      total.statement = rows[i].statement;
      total.kernel = rows[i].kernel;
    }
    total.gpu_time_ns += rows[i].gpu_time_ns;
    total.flops += rows[i].flops;
    total.bytes += rows[i].bytes;
  }
}

std::vector<ProfileRow> ProfileSum::rows() const {
  std::vector<ProfileRow> rows;
  for (const auto &[key, row] : rows_) rows.push_back(row);
  std::sort(rows.begin(), rows.end(),
            [](const auto &a, const auto &b) { return a.gpu_time_ns > b.gpu_time_ns; });
  return rows;
}

} // namespace fovea
