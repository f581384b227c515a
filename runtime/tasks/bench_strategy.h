// How models of one kind are timed: a row of bench_strategies() and a file of its own (bench_NAME.cpp). A
// file with several tasks runs every strategy that accepts it. One thread. Errors: those of bench().
#pragma once

#include "tasks/stage_timer.h"

namespace fovea {

struct BenchJob {
  std::shared_ptr<vk::Device> device;
  std::shared_ptr<const Model> model;
  std::shared_ptr<const DeviceWeights> weights;
  const BenchOptions &options;
  BenchReport &report;
  WorkClock::Wall::time_point begin; // when the file was opened

  SessionOptions session() const;
  /// The task's sessions are made; the first strategy's moment counts.
  void loaded();
  /// What a user waits for is there; likewise.
  void first_result();
  /// Adds states, scratch and the rest of what a session took.
  void used(const MemoryUse &memory);
};

struct BenchStrategy {
  bool (*accepts)(const Model &model);
  void (*run)(BenchJob &job);
};

std::span<const BenchStrategy> bench_strategies();

extern const BenchStrategy kBenchSpeechTokens; // transcribes token by token
extern const BenchStrategy kBenchSpeechFrames; // reads words off frames
extern const BenchStrategy kBenchGenerate;
extern const BenchStrategy kBenchTranslate;
extern const BenchStrategy kBenchTexts;    // embeds or classifies texts
extern const BenchStrategy kBenchPictures; // classifies, embeds, detects, segments
extern const BenchStrategy kBenchCaption;

/// Ids that are a text to no one: the work does not depend on them.
std::vector<int32_t> bench_tokens(uint32_t n_tokens, uint32_t n_vocabulary);
/// `wanted`, or where there are none `usual`, with what is above `most` replaced by it, each once, in order.
std::vector<uint32_t> sizes_up_to(std::span<const uint32_t> wanted, std::initializer_list<uint32_t> usual,
                                  uint32_t most);
/// The same with what is not below `end` left out.
std::vector<uint32_t> sizes_below(std::span<const uint32_t> wanted, std::initializer_list<uint32_t> usual,
                                  uint32_t end);
/// Samples of a recording. Error InvalidArgument when it is empty or longer than a day.
uint64_t bench_samples(double seconds, uint32_t sample_rate_hz);

} // namespace fovea
