#include "tasks/bench_decoder.h"

#include <algorithm>

namespace fovea {
namespace {

DecoderSession::Wants wants_of(const GenerationSettings &settings) {
  DecoderSession::Wants wants;
  (settings.n_beams > 1 ? wants.top : wants.best) = true;
  return wants;
}

} // namespace

void run_first_step(BenchJob &job, DecoderSession &session, const GenerationSettings &settings) {
  const std::vector<int32_t> start(session.sizes().n_sequences(), settings.start);
  session.step(start, 0, wants_of(settings));
  settings.n_beams > 1 ? session.top(0) : session.best(0);
  job.first_result();
}

void time_steps(BenchJob &job, DecoderSession &session, const GenerationSettings &settings) {
  const uint32_t n = session.sizes().n_sequences();
  const DecoderSession::Wants wants = wants_of(settings);
  StageTimer timer(session.session(), job.options, job.report);
  const std::vector<int32_t> written = bench_tokens(session.sizes().cache_tokens, settings.n_vocabulary);
  const auto tokens = [&](uint32_t at) { return std::vector<int32_t>(n, written[at]); };
  uint32_t n_filled = 0;
  for (const uint32_t at : sizes_below(job.options.caches, {8, 48}, session.sizes().cache_tokens)) {
    for (; n_filled < at; ++n_filled) session.step(tokens(n_filled), n_filled, wants);
    timer.time(concat("step at ", at), {double(session.sizes().n_sources), "tokens"},
               [&]() -> Program & { return session.prepare_step(tokens(at), at, wants); });
    if (settings.n_beams == 1) continue;
    std::vector<uint32_t> order(n); // each beam from its neighbour
    for (uint32_t i = 0; i < n; ++i) order[i] = (i + 1) % n;
    timer.time(concat("reorder at ", at), {},
               [&]() -> Program & { return session.prepare_reorder(order, at); });
  }
}

} // namespace fovea
