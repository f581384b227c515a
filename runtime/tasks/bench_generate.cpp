// Text that is continued: prompts as they are read, and the next token after few or many, chosen greedily.
#include "tasks/bench_strategy.h"
#include "tasks/generate.h"
#include "tasks/text_session.h"

#include <algorithm>

namespace fovea {
namespace {

constexpr uint32_t kShortPrompt = 8;

void run(BenchJob &job) {
  using Want = TextSession::Want;
  const BenchOptions &options = job.options;
  const GenerateSpec spec = GenerateSpec::read(job.model->file());
  const uint32_t n_context = spec.default_context(), n_chunk = GeneratorOptions().n_chunk;
  check_generate_graphs(*job.model, spec, 1, n_context);
  TextSession text(job.device, job.model, job.weights, spec, n_context, n_chunk, job.session());
  job.loaded();
  const auto tokens = [&](uint32_t n) { return bench_tokens(n, spec.n_vocabulary); };

  text.set_cancel(options.cancel);
  uint32_t n_filled = std::min(kShortPrompt, n_context); // rows of the caches
  text.set(tokens(n_filled), false, Want::Best);
  text.best();
  job.first_result();

  StageTimer timer(text.session(), options, job.report);
  // As set() does it: a longer prompt runs in chunks.
  for (const uint32_t n : sizes_up_to(options.prompts, {128, 512}, n_context)) {
    const std::vector<int32_t> prompt = tokens(n);
    timer.time_parts(concat("prefill ", n), {double(n), "tokens"}, (n + n_chunk - 1) / n_chunk,
                     [&](uint32_t part) -> Program & {
                       const uint32_t at = part * n_chunk;
                       return text.prepare(std::span(prompt).subspan(at, std::min(n_chunk, n - at)), at,
                                           Want::Best);
                     });
    n_filled = std::max(n_filled, n);
  }
  for (const uint32_t at : sizes_below(options.caches, {8, 128, 512}, n_context)) {
    if (at > n_filled) text.set(tokens(n_filled = at), true, Want::Best);
    timer.time(concat("decode at ", at), {1, "tokens"}, [&]() -> Program & {
      return text.prepare(bench_tokens(1, spec.n_vocabulary), at, Want::Best);
    });
  }
  job.used(text.session().memory());
}

} // namespace

const BenchStrategy kBenchGenerate{Generator::accepts, run};

} // namespace fovea
