// The tokenizer of a model, as its publisher ships it, and as metadata of the flat file.
//
// Reads, whichever is there first: tokenizer.json; vocab.json with merges.txt; vocab.txt; a vocabulary
// embedded in the source; then what tokenizer_config.json and special_tokens_map.json say differently.
// Architectures call add_tokenizer() and need nothing else. Errors: InvalidFile
// naming the file and the part at fault, Unsupported for what this build's tokenizers do not do.
#pragma once

#include "converter/model_plan.h"
#include "text/tokenizer_data.h"

#include <optional>

namespace fovea {

/// Nothing when the source has no tokenizer at all. The result has exactly `vocabulary` tokens, the rows of
/// the model's embedding: ids that no file names are Unused, tokens past the end are left out.
std::optional<TokenizerData> read_tokenizer(const Source &source, uint32_t vocabulary);

/// Id of a token by its text; -1 when there is none.
int32_t find_token(const TokenizerData &data, std::string_view text);

/// Warns that the source has no tokenizer, and of the consequence ("`fovea transcribe` will not work").
void warn_no_tokenizer(const Source &source, std::string_view consequence, ModelPlan &plan);

/// read_tokenizer() and its metadata; the warning where there is none.
std::optional<TokenizerData> add_tokenizer(const Source &source, uint32_t vocabulary,
                                           std::string_view consequence, ModelPlan &plan);

/// The tokenizer.ggml.* and fovea.tokenizer.* keys.
void add_tokenizer_metadata(const TokenizerData &data, ModelPlan &plan);

} // namespace fovea
