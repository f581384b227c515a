// What tasks on texts share: ids of a text within a model's limit, and texts of like length side by side.
// Functions; thread-safe.
#pragma once

#include "text/tokenizer.h"

#include <cstdint>
#include <span>
#include <vector>

namespace fovea {

struct LimitedText {
  std::vector<int32_t> ids; // with the template's tokens
  bool truncated = false;   // the text's end was left out
};
/// At most max_tokens ids: what is too much goes from the text's end, the template's tokens stay. Error
/// InvalidArgument (max_tokens has no room for the template, text of 2 GiB).
LimitedText limit_text(const Tokenizer &tokenizer, std::string_view text, uint32_t max_tokens);

/// Rows that run together.
struct TextBatch {
  std::vector<uint32_t> rows; // numbers of texts
  uint32_t n_rows = 0;        // rows of the program: a power of two; those beyond `rows` are padding
  uint32_t n_tokens = 0;      // of each row: a length that few programs cover
};
/// Every text once, longest first: texts of like length together, so that little is padding, in few different
/// sizes, so that few programs are made. lengths: 1 … max_tokens.
std::vector<TextBatch> batch_texts(std::span<const uint32_t> lengths, uint32_t max_rows, uint32_t max_tokens);

/// n rounded up to one of few lengths, at most `most`.
uint32_t padded_length(uint32_t n, uint32_t most);

/// Ids of a batch's rows [n_rows, n_tokens], filled up with `pad`, and which of them are real.
struct PaddedRows {
  std::vector<int32_t> tokens, mask;
};
PaddedRows pad_rows(const TextBatch &batch, std::span<const std::vector<int32_t>> texts, int32_t pad);

} // namespace fovea
