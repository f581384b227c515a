#include "tasks/bench.h"

#include "tasks/bench_strategy.h"
#include "tasks/file_tasks.h"

#include <algorithm>

namespace fovea {

std::span<const BenchStrategy> bench_strategies() {
  static const BenchStrategy all[] = {kBenchSpeechTokens, kBenchSpeechFrames, kBenchGenerate, kBenchTranslate,
                                      kBenchTexts,        kBenchPictures,     kBenchCaption};
  return all;
}

SessionOptions BenchJob::session() const {
  SessionOptions made;
  made.timestamps = options.timestamps;
  // A norm that is part of a product leaves nothing to choose among.
  if (options.measure || options.variants)
    made.adjust_caps = [](DeviceCaps &caps) { caps.fuse_norms = false; };
  return made;
}

void BenchJob::loaded() {
  if (report.load_s == 0) report.load_s = seconds_since(begin);
}

void BenchJob::first_result() {
  if (report.first_result_s == 0) report.first_result_s = seconds_since(begin);
}

void BenchJob::used(const MemoryUse &memory) {
  MemoryUse &all = report.memory;
  all.weights_bytes = memory.weights_bytes;
  all.state_bytes += memory.state_bytes;
  all.scratch_bytes += memory.scratch_bytes;
  all.io_bytes += memory.io_bytes;
}

std::vector<int32_t> bench_tokens(uint32_t n_tokens, uint32_t n_vocabulary) {
  std::vector<int32_t> ids(n_tokens);
  for (uint32_t i = 0; i < n_tokens; ++i) ids[i] = int32_t((uint64_t(i) * 37 + 5) % n_vocabulary);
  return ids;
}

std::vector<uint32_t> sizes_up_to(std::span<const uint32_t> wanted, std::initializer_list<uint32_t> usual,
                                  uint32_t most) {
  std::vector<uint32_t> sizes;
  for (const uint32_t n : wanted.empty() ? std::span(usual.begin(), usual.end()) : wanted)
    if (const uint32_t size = std::clamp(n, 1u, most);
        std::find(sizes.begin(), sizes.end(), size) == sizes.end())
      sizes.push_back(size);
  return sizes;
}

std::vector<uint32_t> sizes_below(std::span<const uint32_t> wanted, std::initializer_list<uint32_t> usual,
                                  uint32_t end) {
  std::vector<uint32_t> sizes;
  for (const uint32_t n : wanted.empty() ? std::span(usual.begin(), usual.end()) : wanted)
    if (n < end) sizes.push_back(n);
  return sizes;
}

uint64_t bench_samples(double seconds, uint32_t sample_rate_hz) {
  constexpr double kDay_s = 86'400;
  const double n = seconds * sample_rate_hz;
  if (!(n >= 1 && seconds <= kDay_s))
    fail(ErrorCode::InvalidArgument, "a recording of ", seconds, " s, expected one sample to ", kDay_s, " s");
  return uint64_t(n);
}

BenchReport bench(std::shared_ptr<vk::Device> device, const std::string &model_path,
                  const BenchOptions &options) {
  if (options.n_runs < 1 || options.n_runs > 10000)
    fail(ErrorCode::InvalidArgument, options.n_runs, " runs, expected 1 to 10000");
  BenchReport report;
  BenchJob job{device, {}, {}, options, report, WorkClock::Wall::now()};
  job.model = Model::open(model_path, options.model);
  const ModelFile &file = job.model->file();
  check_task_complete(file);
  report.task = file.find_string("fovea.task").value_or("");
  report.file_bytes = file.bytes().size();
  std::vector<BenchStrategy> strategies;
  for (const BenchStrategy &s : bench_strategies())
    if (s.accepts(*job.model)) strategies.push_back(s);
  if (strategies.empty())
    fail(ErrorCode::Unsupported, model_path, ": its task is '", report.task,
         "', which has no stages to time; `fovea run --profile` times its graphs");
  job.weights = DeviceWeights::load(device, job.model);
  report.weights_imported = job.weights->imported();
  report.cpu_clock = WorkClock(device->caps()).uses_cpu();
  if (options.kernels) {
    if (options.progress) options.progress("the device's bounds");
    const auto measuring = WorkClock::Wall::now();
    report.bounds = measure_bounds(*device, options.cancel);
    job.begin += WorkClock::Wall::now() - measuring; // no part of loading
  }
  for (const BenchStrategy &s : strategies) s.run(job);
  return report;
}

} // namespace fovea
