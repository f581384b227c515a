// Stage timings of a model whose task is "transcribe": features, encode, prompt, decode step of one that
// writes token after token; a short and a whole window of one whose words are read off frames. Outputs are
// checked (finite, equal between runs) before a time is reported. One thread. Throws what the Transcriber's
// parts throw, and Internal when an output fails its check.
#pragma once

#include "exec/session.h"

namespace fovea {

struct BenchOptions {
  uint32_t n_runs = 5;                            // measured, after one that warms up
  std::vector<uint32_t> positions = {8, 64, 200}; // of decode steps; those past the context are left out
  uint32_t n_prompt = 64;                         // tokens of the prompt stage
  bool timestamps = false;                        // of the GPU; measuring them slows some drivers
  ModelOptions model;
  const std::atomic<bool> *cancel = nullptr;
  std::function<void(const std::string &stage)> progress; // before each stage
};

struct BenchStage {
  std::string name; // "features", "encode", "prompt 64", "step at 8" … "window of 5 s"
  double median_s = 0, best_s = 0, first_s = 0; // first: the run that warmed up, programs made included
  uint64_t flops = 0;                           // of one run
  uint64_t weight_bytes = 0;                    // read by one run, each weight once
  double gpu_s = 0;                             // median sum of the kernels' times; 0 without timestamps
  size_t n_dispatches = 0;
  double gflop_per_s() const { return median_s > 0 ? double(flops) / median_s * 1e-9 : 0; }
  double gb_per_s() const { return median_s > 0 ? double(weight_bytes) / median_s * 1e-9 : 0; }
};

struct BenchReport {
  double load_s = 0;         // file opened and verified, weights on the device
  double first_result_s = 0; // from the file's opening to the first token, or the first window's
  std::vector<BenchStage> stages;
  MemoryUse memory;
  bool weights_imported = false; // used in place, without a copy
};

BenchReport bench(std::shared_ptr<vk::Device> device, const std::string &model_path,
                  const BenchOptions &options = {});

} // namespace fovea
