// decode_batch(): writes the sequences of one batch of sources that a DecoderSession has encoded. One thread.
// Throws what DecoderSession throws.
#pragma once

#include "tasks/decoder_session.h"
#include "tasks/generation_rules.h"

#include <optional>

namespace fovea {

struct DecodedSequence {
  std::vector<int32_t> tokens; // from the start token on
  float score = 0;
};

/// One sequence for each of the first n_wanted sources; beams as the session has them. Nothing when the
/// session's caches are too short for them.
std::optional<std::vector<DecodedSequence>> decode_batch(DecoderSession &session,
                                                         const GenerationRules &rules, size_t n_wanted);

} // namespace fovea
