// Steps of a decoder that reads an encoder's output: what translation and captions share. Functions; one
// thread. Errors: those of bench().
#pragma once

#include "tasks/bench_strategy.h"
#include "tasks/decoder_session.h"
#include "tasks/generation_settings.h"

namespace fovea {

/// The job's first result: a step after encode().
void run_first_step(BenchJob &job, DecoderSession &session, const GenerationSettings &settings);
/// Stages "step at 8" …, below the caches' size, of one sequence or of all beams; "reorder at …" of beams.
void time_steps(BenchJob &job, DecoderSession &session, const GenerationSettings &settings);

} // namespace fovea
