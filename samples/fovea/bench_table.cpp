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

/// "94 GB/s from 128 MiB"
std::string bandwidth(const Json &b) {
  const double bytes = b["working_set_bytes"].get<double>();
  return format("%.1f GB/s from %s", b["gb_per_s"].get<double>(),
                bytes < 1 << 20 ? format("%.0f KiB", bytes / 1024).c_str()
                                : format("%.0f MiB", bytes / (1 << 20)).c_str());
}

std::string bounds(const Json &b) {
  std::string text = "\nbounds measured   memory ";
  const Json &all = b["bandwidth"];
  for (size_t i = all.size(); i-- > 0;) text += bandwidth(all[i]) + (i ? ", " : "");
  text += format("\n                  multiplications with additions %.1f GFLOP/s, a launch %.1f us\n",
                 b["gflop_per_s"].get<double>(), b["launch_us"].get<double>());
  return text + (b["clock"] == "cpu"
                     ? "clock             CPU time of this process / cores (a software driver)\n"
                     : "clock             the wall's\n");
}

std::string kernels(const Json &stage, bool cpu_clock) {
  double sum_us = 0;
  for (const Json &row : stage["kernels"])
    sum_us += row["time_us"].get<double>() * row["dispatches"].get<double>();
  std::string text = format("\n%s: kernels by themselves %.3f ms, together %.3f ms\n",
                            stage["name"].get<std::string>().c_str(), sum_us / 1e3,
                            stage[cpu_clock ? "cpu_s" : "median_s"].get<double>() * 1e3);
  text += format("%6s %6s %10s %10s %9s %8s %8s  %s\n", "share", "count", "us",
                 cpu_clock ? "wall us" : "best us", "GFLOP/s", "GB/s", "bound", "kernel, op and shapes");
  for (const Json &row : stage["kernels"]) {
    const auto number = [&](const char *name) { return row[name].get<double>(); };
    const auto name = [&](const char *key) { return row[key].get<std::string>(); };
    text += format("%5.1f%% %6.0f %10.2f %10.2f %9.2f %8.2f %6.1f%%%s  %s  %s %s\n", 100 * number("share"),
                   number("dispatches"), number("time_us"), number(cpu_clock ? "wall_us" : "best_us"),
                   number("gflop_per_s"), number("gb_per_s"), 100 * number("part_of_bound"),
                   row["bound_by"] == "memory" ? "m" : "a", name("kernel").c_str(), name("op").c_str(),
                   name("shapes").c_str());
    for (const Json &other : row["variants"])
      text += format("%13s %10.2f %10.2f %28s  %s instead\n", "", other["time_us"].get<double>(),
                     other[cpu_clock ? "wall_us" : "best_us"].get<double>(), "",
                     other["kernel"].get<std::string>().c_str());
  }
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
  if (memory.contains("planned_bytes")) {
    const double planned = memory["planned_bytes"].get<double>();
    text += "process memory    " + size("process_added_bytes") +
            " for the model, with its file; file, state, scratch, input and "
            "output are " +
            bytes_text(planned) +
            format(" (%.0f%%)\n", 100 * memory["process_added_bytes"].get<double>() / planned);
  }
  text += "process peak      " + bytes_text(report["peak_process_bytes"].get<double>()) + "\n";
  if (!report.contains("bounds")) return text;
  text += bounds(report["bounds"]);
  for (const Json &stage : report["stages"])
    if (stage.contains("kernels")) text += kernels(stage, report["bounds"]["clock"] == "cpu");
  return text + "bound: part of the least time for its bytes (m) or its arithmetic (a)\n";
}

} // namespace tool
