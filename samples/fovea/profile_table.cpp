#include "profile_table.h"

#include "console.h"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <map>

namespace tool {
namespace {

struct Row {
  std::string op, kernel;
  uint64_t n_dispatches = 0;
  double time_us = 0, flops = 0, bytes = 0;
};

/// "linear" of "linear = h.3" or "h.3 = linear(…)": the first word that is followed by no '='.
std::string op_of(const std::string &statement) {
  return statement.substr(0, statement.find_first_of(" =("));
}

} // namespace

std::string profile_table(const std::string &json) {
  std::map<std::pair<std::string, std::string>, Row> sums;
  double total_us = 0;
  for (const auto &entry : nlohmann::json::parse(json)) {
    const std::string op = op_of(entry.at("statement")), kernel = entry.at("kernel");
    Row &row = sums[{op, kernel}];
    row.op = op;
    row.kernel = kernel;
    row.n_dispatches += entry.value("runs", uint64_t(1));
    row.time_us += entry.at("time_us").get<double>();
    row.flops += entry.at("flops").get<double>();
    row.bytes += entry.at("bytes").get<double>();
    total_us += entry.at("time_us").get<double>();
  }
  std::vector<Row> rows;
  for (auto &[key, row] : sums) rows.push_back(std::move(row));
  std::sort(rows.begin(), rows.end(), [](const Row &a, const Row &b) { return a.time_us > b.time_us; });
  std::string text = format("%-14s %-28s %10s %12s %6s %9s %8s\n", "op", "kernel", "dispatches", "time (ms)",
                            "%", "GFLOP/s", "GB/s");
  for (const Row &r : rows) {
    const double us = std::max(r.time_us, 1e-3);
    text += format("%-14s %-28s %10llu %12.3f %6.1f %9.2f %8.2f\n", r.op.c_str(), r.kernel.c_str(),
                   (unsigned long long)r.n_dispatches, r.time_us / 1e3,
                   total_us > 0 ? 100 * r.time_us / total_us : 0.0, r.flops / us / 1e3, r.bytes / us / 1e3);
  }
  return text + format("total %.3f ms on the device\n", total_us / 1e3);
}

} // namespace tool
