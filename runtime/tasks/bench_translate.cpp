// Text to text: sources as they are read, and a step of the model's own search.
#include "tasks/bench_decoder.h"
#include "tasks/bench_strategy.h"
#include "tasks/text_batches.h"
#include "tasks/translate.h"

#include <algorithm>

namespace fovea {
namespace {

constexpr uint32_t kLongestSource = 128; // a long sentence; what is written about it is about as long

void run(BenchJob &job) {
  Translator translator(job.device, job.model, job.weights, {.timestamps = job.options.timestamps});
  job.loaded();
  const GenerationSettings settings = translator.settings_of({});
  const uint32_t most =
      std::min(job.options.prompts.empty() ? kLongestSource : UINT32_MAX, translator.max_source());
  const std::vector<uint32_t> sizes_of_sources = sizes_up_to(job.options.prompts, {16, 128, 512}, most);
  for (const uint32_t n : sizes_of_sources) {
    const std::vector<std::vector<int32_t>> source = {bench_tokens(n, settings.n_vocabulary)};
    const TextBatch batch = batch_texts(std::vector<uint32_t>{n}, 1, translator.max_source())[0];
    const PaddedRows rows = pad_rows(batch, source, settings.pad);
    const auto sizes = translator.sizes_for(batch.n_tokens, settings.n_beams,
                                            first_cache(batch.n_tokens, settings.length_limit()), 1);
    DecoderSession &session = translator.session(sizes);
    session.set_cancel(job.options.cancel);
    session.encode(rows.tokens, rows.mask);
    run_first_step(job, session, settings);
    StageTimer timer(session.session(), job.options, job.report);
    timer.time(concat("encode ", n), {double(n), "tokens"},
               [&]() -> Program & { return session.prepare_encode(rows.tokens, rows.mask); });
    if (n == sizes_of_sources.back()) time_steps(job, session, settings);
  }
  job.used(translator.memory());
}

} // namespace

const BenchStrategy kBenchTranslate{Translator::accepts, run};

} // namespace fovea
