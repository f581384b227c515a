// The vocabulary of a byte-level BPE model, as the source ships it, and as metadata of the flat file.
// Reads tokenizer.json, or vocab.json with merges.txt and added_tokens.json, or a vocabulary embedded in a
// ggml file. Errors: InvalidFile naming the file and the token at fault.
#pragma once

#include "converter/model_plan.h"
#include "text/tokenizer_data.h"

#include <optional>

namespace fovea {

/// Nothing when the source has no tokenizer at all. Ids up to `size` that no file names are Unused.
std::optional<TokenizerData> read_byte_level_tokenizer(const Source &source, uint32_t size);

/// Id of a token by its text; -1 when there is none.
int32_t find_token(const TokenizerData &data, std::string_view text);

/// The tokenizer.ggml.* and fovea.tokenizer.* keys.
void add_tokenizer_metadata(const TokenizerData &data, ModelPlan &plan);

} // namespace fovea
