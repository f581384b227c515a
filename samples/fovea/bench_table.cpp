#include "bench_table.h"

#include "console.h"

#include <nlohmann/json.hpp>

namespace tool {
namespace {

using Json = nlohmann::ordered_json;

/// "1480 tokens/s"; sound by how many times faster than it is spoken.
std::string rate(const Json &stage) {
  const std::string unit = stage["unit"];
  const double per_s = stage["items_per_s"].get<double>();
  if (unit.empty()) return "";
  const char *pattern = per_s >= 100 ? "%.0f %s" : "%.2f %s";
  return format(pattern, per_s, unit == "seconds" ? "x real time" : (unit + "/s").c_str());
}

std::string stages(const Json &report) {
  bool has_cpu = false;
  for (const Json &stage : report["stages"]) has_cpu = has_cpu || stage["cpu_s"].get<double>() > 0;
  std::string text = format("%-22s %12s %10s %s%10s %9s %11s  %s\n", "stage", "median (ms)", "best (ms)",
                            has_cpu ? "  CPU (ms) " : "", "GFLOP/s", "GB/s", "dispatches", "rate");
  for (const Json &stage : report["stages"]) {
    const auto ms = [&](const char *name) { return stage[name].get<double>() * 1e3; };
    text += format("%-22s %12.3f %10.3f ", stage["name"].get<std::string>().c_str(), ms("median_s"),
                   ms("best_s"));
    if (has_cpu) text += format("%10.3f ", ms("cpu_s"));
    std::string line =
        format("%10.2f %9.2f %11llu  %s", stage["gflop_per_s"].get<double>(), stage["gb_per_s"].get<double>(),
               (unsigned long long)stage["dispatches"].get<uint64_t>(), rate(stage).c_str());
    line.erase(line.find_last_not_of(' ') + 1);
    text += line + "\n";
  }
  if (has_cpu) text += "CPU: time of this process on all cores, divided by their number\n";
  return text;
}

} // namespace

std::string bench_table(const std::string &json) {
  const Json report = Json::parse(json);
  std::string text = format("device            %s (%s)\n", report["device"].get<std::string>().c_str(),
                            report["driver"].get<std::string>().c_str());
  text += format("load              %9.1f ms%s\n", report["load_s"].get<double>() * 1e3,
                 report["weights_imported"].get<bool>() ? "   weights used in place" : "");
  text += format("first result      %9.1f ms\n", report["first_result_s"].get<double>() * 1e3);
  text += stages(report);
  const Json &memory = report["memory"];
  const auto size = [&](const char *name) { return bytes_text(memory[name].get<double>()); };
  const std::string weights =
      report["weights_imported"].get<bool>() ? "in place, in the file" : size("weights_bytes");
  text += "device memory     weights " + weights + ", state " + size("state_bytes") + ", scratch " +
          size("scratch_bytes") + ", input and output " + size("io_bytes") + "\n";
  return text + "process peak      " + bytes_text(report["peak_process_bytes"].get<double>()) + "\n";
}

} // namespace tool
