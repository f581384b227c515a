// Stage timings of a model, whatever its task: what runs for a window of sound, a prompt, a token, a text or
// a picture, by the sessions of the tasks themselves (bench_strategy.h has the list). Outputs are checked
// (finite, equal between runs) before a time is reported. One thread. Throws Unsupported for a file without a
// task, Internal when an output fails its check, and what the task's parts throw.
#pragma once

#include "tasks/kernel_bench.h"

namespace fovea {

struct BenchOptions {
  uint32_t n_runs = 5; // measured, after one that warms up
  // Sizes; none: what is usual for the task.
  std::vector<uint32_t> prompts; // tokens of prompts, sources and texts; at most what the model takes
  std::vector<uint32_t> caches;  // tokens before the one decoded; those past the context are left out
  std::vector<double> seconds;   // of recordings
  uint32_t picture_width = 640, picture_height = 480;
  bool kernels = false;    // every kernel of the stages by itself, too
  bool variants = false;   // and the other kernels that could do the same
  bool timestamps = false; // of the GPU; measuring them slows some drivers
  ModelOptions model;
  const std::atomic<bool> *cancel = nullptr;
  std::function<void(const std::string &stage)> progress; // before each stage
  /// In place of timing a stage: its program, which has run once and whose outputs are checked.
  std::function<void(Session &session, const Program &program)> measure;
};

/// What one run of a stage gets done: 128 tokens, 1 image, 30 seconds of sound; nothing.
struct StageWork {
  double n_items = 0;
  const char *unit = "";
};

/// What the dispatches of one kind of statement ("linear") must do (graph/plan_work.h).
struct StatementWork {
  uint64_t flops = 0, bytes = 0;
};

struct BenchStage {
  std::string name; // "features", "encode", "prefill 128", "decode at 8" … "window of 5 s"
  double median_s = 0, best_s = 0, first_s = 0; // first: the run that warmed up, programs made included
  double cpu_s = 0;                         // median process CPU time / cores, on a software driver; else 0
  uint64_t flops = 0;                       // of one run
  uint64_t weight_bytes = 0;                // read by one run, each weight once
  std::map<std::string, StatementWork> ops; // of one run, by statement
  double gpu_s = 0;                         // median sum of the kernels' times; 0 without timestamps
  size_t n_dispatches = 0;
  StageWork work;
  std::vector<KernelRow> kernels; // where they are asked for, most time first
  double gflop_per_s() const { return median_s > 0 ? double(flops) / median_s * 1e-9 : 0; }
  double gb_per_s() const { return median_s > 0 ? double(weight_bytes) / median_s * 1e-9 : 0; }
  double items_per_s() const { return median_s > 0 ? work.n_items / median_s : 0; }
};

struct BenchReport {
  std::string task;
  uint64_t file_bytes = 0;
  double load_s = 0;         // file opened and verified, weights on the device
  double first_result_s = 0; // from the file's opening to the first token, window, vector or picture
  std::vector<BenchStage> stages;
  MemoryUse memory;
  bool weights_imported = false;      // used in place, without a copy
  std::optional<DeviceBounds> bounds; // where kernels are asked for
  bool cpu_clock = false; // kernels are timed by CPU time / cores (software), not by the wall's clock
};

BenchReport bench(std::shared_ptr<vk::Device> device, const std::string &model_path,
                  const BenchOptions &options = {});

} // namespace fovea
