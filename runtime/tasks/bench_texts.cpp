// Texts that become vectors or classes: one alone, short to long, and several side by side.
#include "tasks/bench_strategy.h"
#include "tasks/classify_text.h"
#include "tasks/embed.h"
#include "tasks/text_batches.h"

#include <algorithm>

namespace fovea {
namespace {

constexpr uint32_t kSideBySide = 8, kSideTokens = 32;

bool accepts(const Model &model) { return Embedder::accepts(model) || TextClassifier::accepts(model); }

void run(BenchJob &job) {
  const Model &model = *job.model;
  TextEncoderSession texts(job.device, job.model, job.weights,
                           TextClassifier::accepts(model) ? "logits" : text_output(model),
                           job.options.timestamps);
  job.loaded();
  const auto ids = [&](uint32_t n) { return bench_tokens(n, texts.n_vocabulary()); };
  const std::vector<uint32_t> lengths = sizes_up_to(job.options.prompts, {16, 128, 512}, texts.max_tokens());
  if (lengths.empty()) return;
  const std::vector<std::vector<int32_t>> first = {ids(lengths[0])};
  texts.encode_tokens(first, job.options.cancel);
  job.first_result();

  StageTimer timer(texts.session(), job.options, job.report);
  const auto time = [&](const std::string &name, uint32_t n_texts, uint32_t n_tokens) {
    const std::vector<std::vector<int32_t>> all(n_texts, ids(n_tokens));
    const std::vector<uint32_t> each(n_texts, n_tokens);
    const TextBatch batch = batch_texts(each, n_texts, texts.max_tokens())[0];
    timer.time(name, {double(n_texts) * n_tokens, "tokens"},
               [&]() -> Program & { return texts.prepare(batch, all); });
  };
  for (const uint32_t n : lengths) time(concat("text of ", n), 1, n);
  const uint32_t n_side = std::min(kSideTokens, texts.max_tokens());
  time(concat(kSideBySide, " texts of ", n_side), kSideBySide, n_side);
  job.used(texts.memory());
}

} // namespace

const BenchStrategy kBenchTexts{accepts, run};

} // namespace fovea
