// A model file's tokenizer. Pure; any thread. Throws Error InvalidFile naming the file and the key: a missing
// list, lists of different length, an unknown tokenizer or token type, a vocabulary larger than `max_tokens`,
// an unusable pattern.
#pragma once

#include "format/model_file.h"
#include "text/tokenizer.h"

namespace fovea {

/// From the metadata keys `tokenizer.ggml.*` and `fovea.tokenizer.*` (docs/format.md). max_tokens: the
/// model's vocabulary; ids at or above it would index past its embedding.
Tokenizer load_tokenizer(const ModelFile &file, uint32_t max_tokens);

} // namespace fovea
